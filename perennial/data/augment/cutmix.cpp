#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "perennial/base/random.h"
#include "perennial/data/augment.h"
#include "perennial/data/augment/batch.h"

namespace perennial {
namespace {

struct Box {
  int left, top, right, bottom;
  int area() const { return (right - left) * (bottom - top); }
};

/// Sides floor(S sqrt(1 - lambda)), centre uniform, clipped.
Box draw_box(int width, int height, Random& random) {
  const double side = std::sqrt(1.0 - static_cast<double>(random.uniform()));
  const int half_x = static_cast<int>(width * side) / 2, half_y = static_cast<int>(height * side) / 2;
  const auto x = static_cast<int>(random.below(static_cast<uint32_t>(width)));
  const auto y = static_cast<int>(random.below(static_cast<uint32_t>(height)));
  return {std::max(0, x - half_x), std::max(0, y - half_y), std::min(width, x + half_x),
          std::min(height, y + half_y)};
}

void paste(ImageView from, const Box& box, ImageView to) {
  for (int c = 0; c < to.channels; ++c)
    for (int y = box.top; y < box.bottom; ++y)
      std::copy(from.row(c, y) + box.left, from.row(c, y) + box.right, to.row(c, y) + box.left);
}

}  // namespace

Mixture cutmix(const at::Tensor& images, uint64_t seed, uint64_t position) {
  const at::Tensor source = checked_images(images, "CutMix");
  Mixture mixed{source, std::vector<int64_t>(static_cast<size_t>(source.size(0))), 1.0};
  std::iota(mixed.partner.begin(), mixed.partner.end(), 0);
  Random random(seed, "cutmix", position);
  if (source.numel() == 0 || !random.chance(0.5F)) return mixed;
  const auto width = static_cast<int>(source.size(3)), height = static_cast<int>(source.size(2));
  const Box box = draw_box(width, height, random);
  shuffle(mixed.partner, random);
  mixed.lambda = 1.0 - static_cast<double>(box.area()) / (static_cast<double>(width) * height);
  auto* data = const_cast<uint8_t*>(source.const_data_ptr<uint8_t>());
  mixed.inputs = map_images(source, [&](int64_t n, ImageView in, ImageView out) {
    std::memcpy(out.pixels, in.pixels, static_cast<size_t>(in.size()));
    paste(view_of(source, data, mixed.partner[static_cast<size_t>(n)]), box, out);
  });
  return mixed;
}

}  // namespace perennial
