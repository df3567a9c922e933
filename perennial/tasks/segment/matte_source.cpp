#include "perennial/tasks/segment/matte_source.h"

#include <algorithm>
#include <stdexcept>

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "perennial/base/random.h"

namespace perennial {
namespace {

constexpr const char *kPhotograph = "photograph", *kMatte = "matte", *kSize = "size";

template <class Bytes>
Column ragged(const std::vector<const Matte*>& mattes, Bytes bytes_of) {
  std::vector<int64_t> offsets{0};
  for (const Matte* m : mattes) offsets.push_back(offsets.back() + std::ssize(bytes_of(*m)));
  const at::Tensor values = at::empty({offsets.back()}, at::kByte);
  auto* out = values.mutable_data_ptr<uint8_t>();
  for (const Matte* m : mattes) out = std::copy(bytes_of(*m).begin(), bytes_of(*m).end(), out);
  return {values, std::move(offsets)};
}

std::vector<uint8_t> bytes_of(const at::Tensor& t) {
  const at::Tensor whole = t.contiguous();
  return {whole.const_data_ptr<uint8_t>(), whole.const_data_ptr<uint8_t>() + whole.numel()};
}

Matte matte_of(int64_t id, const at::Tensor& image, const at::Tensor& mask, int64_t height, int64_t width) {
  if (image.numel() != 3 * height * width || mask.numel() != height * width)
    throw std::invalid_argument("mattes: expected photographs and masks of one size");
  return {"", id, {3, height, width, bytes_of(image)}, bytes_of(mask)};
}

}  // namespace

MatteSource::MatteSource(std::vector<Matte> mattes) : mattes_(std::move(mattes)) {
  for (const Matte& matte : mattes_) ids_.push_back(matte.id);
}

Samples MatteSource::get(std::span<const int64_t> rows) const {
  std::vector<const Matte*> chosen;
  std::vector<int64_t> ids;
  const at::Tensor sizes = at::empty({std::ssize(rows), 2}, at::kLong);
  auto* size = sizes.mutable_data_ptr<int64_t>();
  for (const int64_t row : rows) {
    if (row < 0 || row >= std::ssize(mattes_))
      throw std::invalid_argument(fmt::format("mattes: row {} of {}", row, mattes_.size()));
    const Matte& matte = mattes_[static_cast<size_t>(row)];
    chosen.push_back(&matte);
    ids.push_back(matte.id);
    *size++ = matte.image.height;
    *size++ = matte.image.width;
  }
  return {std::move(ids),
          {{kPhotograph, ragged(chosen, [](const Matte& m) -> auto& { return m.image.pixels; })},
           {kMatte, ragged(chosen, [](const Matte& m) -> auto& { return m.mask; })},
           {kSize, sizes}}};
}

uint64_t MatteSource::hash(uint64_t seed) const {
  uint64_t hash = seed;
  const auto add = [&](const std::vector<uint8_t>& bytes) {
    hash = hash64({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, hash);
  };
  for (const Matte& matte : mattes_) {
    hash = mix64(hash, static_cast<uint64_t>(matte.id));
    add(matte.image.pixels);
    add(matte.mask);
  }
  return hash;
}

std::vector<Matte> mattes_of(const Samples& samples) {
  std::vector<Matte> mattes;
  const bool kept = samples.has(column::kImage);  // by a memory
  for (int64_t i = 0; i < samples.size(); ++i) {
    const int64_t id = samples.ids()[static_cast<size_t>(i)];
    if (kept) {
      const at::Tensor image = samples.tensor(column::kImage).select(0, i);
      mattes.push_back(
          matte_of(id, image, samples.tensor(column::kMask).select(0, i), image.size(1), image.size(2)));
    } else {
      const int64_t* size = samples.tensor(kSize).const_data_ptr<int64_t>() + 2 * i;
      mattes.push_back(
          matte_of(id, samples.column(kPhotograph).row(i), samples.column(kMatte).row(i), size[0], size[1]));
    }
  }
  return mattes;
}

}  // namespace perennial
