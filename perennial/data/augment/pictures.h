#pragma once

#include "perennial/data/augment/view.h"
#include "perennial/data/samples.h"

namespace perennial {

/// The images of samples, and the masks over them where there are any, as views that must not be written to:
/// columns image and mask, or photographs of any size (column::kPhotograph). The samples must outlive them.
class Pictures {
 public:
  /// std::invalid_argument, which begins with `what`, for samples without images, for images that are not
  /// uint8 of 1 or 3 channels, for sides over kMaxAugmentSide and for masks of another size than theirs.
  Pictures(const Samples& samples, const std::string& what);

  int64_t size() const { return std::ssize(images_); }
  const ImageView& image(int64_t i) const { return images_[static_cast<size_t>(i)]; }
  bool have_masks() const { return !masks_.empty(); }
  const ImageView& mask(int64_t i) const { return masks_[static_cast<size_t>(i)]; }
  /// [C, H, W] of all of them; H and W are 0 where each has its own. Zeros of no images at all.
  struct Shape {
    int64_t channels = 0, height = 0, width = 0;
  };
  const Shape& shape() const { return shape_; }

 private:
  void of_one_size(const Samples& samples, const std::string& what);
  void of_any_size(const Samples& samples, const std::string& what);

  std::vector<ImageView> images_, masks_;
  Shape shape_;
};

}  // namespace perennial
