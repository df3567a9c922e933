#include "perennial/data/augment/batch.h"

#include <stdexcept>

#include <ATen/ops/empty.h>

namespace perennial {

at::Tensor checked_images(const at::Tensor& images, const std::string& what) {
  const auto fail = [&what](const std::string& found) {
    throw std::invalid_argument(what + " needs uint8 images [N, 1 or 3, H, W] on the CPU, not " + found);
  };
  if (!images.defined()) fail("an undefined tensor");
  if (images.scalar_type() != at::kByte) fail("another type");
  if (images.dim() != 4) fail(std::to_string(images.dim()) + " dimensions");
  if (!images.is_cpu()) fail("another device");
  if (images.size(1) != 1 && images.size(1) != 3) fail(std::to_string(images.size(1)) + " channels");
  if (images.size(2) > kMaxAugmentSide || images.size(3) > kMaxAugmentSide)
    fail("a side over " + std::to_string(kMaxAugmentSide));
  return images.contiguous();
}

at::Tensor checked_images(const at::Tensor& images, std::span<const int64_t> ids, const std::string& what) {
  at::Tensor checked = checked_images(images, what);
  if (checked.size(0) != static_cast<int64_t>(ids.size()))
    throw std::invalid_argument(what + " needs one id for each of " + std::to_string(checked.size(0)) +
                                " images, not " + std::to_string(ids.size()));
  return checked;
}

at::Tensor images_like(const at::Tensor& images) {
  return at::empty(images.sizes(), at::TensorOptions().dtype(at::kByte));
}

}  // namespace perennial
