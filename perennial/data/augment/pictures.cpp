#include "perennial/data/augment/pictures.h"

#include <stdexcept>

#include "perennial/data/augment/batch.h"

namespace perennial {
namespace {

// Views do not say so, but what they are of is not written to.
uint8_t* pixels_of(const at::Tensor& t) { return const_cast<uint8_t*>(t.const_data_ptr<uint8_t>()); }

[[noreturn]] void refuse(const std::string& what, const std::string& found) {
  throw std::invalid_argument(what + " found " + found);
}

}  // namespace

Pictures::Pictures(const Samples& samples, const std::string& what) {
  if (samples.empty()) return;
  samples.has(column::kPhotograph) ? of_any_size(samples, what) : of_one_size(samples, what);
}

void Pictures::of_one_size(const Samples& samples, const std::string& what) {
  const at::Tensor& images = samples.tensor(column::kImage);
  checked_images(images, what);
  shape_ = {images.size(1), images.size(2), images.size(3)};
  for (int64_t i = 0; i < samples.size(); ++i) images_.push_back(view_of(images, pixels_of(images), i));
  if (!samples.has(column::kMask)) return;
  const at::Tensor& masks = samples.tensor(column::kMask);
  if (masks.scalar_type() != at::kByte || masks.dim() != 3 || masks.size(1) != shape_.height ||
      masks.size(2) != shape_.width)
    refuse(what, "masks that are not uint8 of the size of their images");
  for (int64_t i = 0; i < samples.size(); ++i) {
    const ImageView& of = images_[static_cast<size_t>(i)];
    masks_.push_back({pixels_of(masks) + i * of.plane_size(), 1, of.height, of.width});
  }
}

void Pictures::of_any_size(const Samples& samples, const std::string& what) {
  const Column& photographs = samples.column(column::kPhotograph);
  const at::Tensor& sizes = samples.tensor(column::kPhotographSize);
  const Column* masks =
      samples.has(column::kPhotographMask) ? &samples.column(column::kPhotographMask) : nullptr;
  if (sizes.scalar_type() != at::kLong || sizes.dim() != 2 || sizes.size(1) != 2 ||
      photographs.values().scalar_type() != at::kByte || photographs.values().dim() != 1)
    refuse(what, "photographs in another form than uint8 values with sizes [N, 2]");
  const int64_t* size = sizes.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < samples.size(); ++i, size += 2) {
    const at::Tensor values = photographs.row(i);
    if (size[0] < 1 || size[1] < 1 || size[0] > kMaxAugmentSide || size[1] > kMaxAugmentSide)
      refuse(what, "a photograph with a side of 0 or over " + std::to_string(kMaxAugmentSide));
    const int64_t plane = size[0] * size[1], channels = values.numel() / plane;
    if ((channels != 1 && channels != 3) || values.numel() != channels * plane)
      refuse(what, "photographs of other sizes than are stated");
    if (shape_.channels != 0 && shape_.channels != channels)
      refuse(what, "grey photographs among coloured ones");
    shape_.channels = channels;
    const int height = static_cast<int>(size[0]), width = static_cast<int>(size[1]);
    images_.push_back({pixels_of(values), static_cast<int>(channels), height, width});
    if (masks == nullptr) continue;
    const at::Tensor mask = masks->row(i);
    if (mask.scalar_type() != at::kByte || mask.numel() != plane)
      refuse(what, "masks that are not uint8 of the size of their photographs");
    masks_.push_back({pixels_of(mask), 1, height, width});
  }
}

}  // namespace perennial
