#pragma once

#include <cstdint>
#include <limits>

#include <ATen/core/Tensor.h>

namespace perennial {

/// Shares from 0 to 1; NaN when there was no image.
struct SegmentationScores {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  double foreground_iou = kUnknown;  ///< mean over images; one without foreground in truth and matte counts 1
  double miou = kUnknown;         ///< mean of the IoU of background and of foreground over all images' pixels
  double boundary_f1 = kUnknown;  ///< mean over images; see SegmentationMetrics
  int64_t images = 0;
};

/// Scores of binary mattes, exact for any division into batches.
///
/// The foreground IoU is what SINet's tables call mIoU (Park et al., WACV 2020; the released code averages
/// over batches, this is the mean over images). The boundary F1 is the F1 of foreground among the pixels of
/// the true mask's boundary band, 15 pixels wide; an image without such pixels, or without foreground among
/// them in truth and matte, counts 1.
class SegmentationMetrics {
 public:
  explicit SegmentationMetrics(int64_t band = 15) : band_(band) {}

  /// Masks [N, H, W] of any type, foreground is 1. Throws std::invalid_argument when shapes differ.
  void add(const at::Tensor& predicted, const at::Tensor& truth);
  /// NaN when nothing was added.
  SegmentationScores scores() const;

 private:
  struct Counts {
    int64_t both = 0, predicted_only = 0, truth_only = 0, neither = 0;
  };
  int64_t band_;
  Counts pixels_;
  double iou_sum_ = 0, f1_sum_ = 0;
  int64_t images_ = 0;
};

}  // namespace perennial
