#include "perennial/tasks/segment/segmentation_metrics.h"

#include <stdexcept>

#include "perennial/tasks/segment/boundary.h"

namespace perennial {
namespace {

double share(int64_t part, int64_t whole) {
  return whole == 0 ? 1 : static_cast<double>(part) / static_cast<double>(whole);
}

// Pixels of each image: [N, H, W] -> N numbers.
at::Tensor per_image(const at::Tensor& flags) { return flags.flatten(1).sum(1); }

}  // namespace

void SegmentationMetrics::add(const at::Tensor& predicted, const at::Tensor& truth) {
  if (predicted.dim() != 3 || predicted.sizes() != truth.sizes())
    throw std::invalid_argument("mattes and masks must be [N, H, W] of the same size");
  const at::Tensor p = predicted.eq(1), t = truth.eq(1), band = boundary_band(truth, band_);
  const at::Tensor both = p.logical_and(t);
  const at::Tensor counts[] = {per_image(both),
                               per_image(p),
                               per_image(t),
                               per_image(both.logical_and(band)),
                               per_image(p.logical_and(band)),
                               per_image(t.logical_and(band))};
  const int64_t* n[6];
  for (int k = 0; k < 6; ++k) n[k] = counts[k].const_data_ptr<int64_t>();
  const int64_t area = p.size(1) * p.size(2);
  for (int64_t i = 0; i < p.size(0); ++i) {
    const int64_t all = n[1][i] + n[2][i] - n[0][i];
    iou_sum_ += share(n[0][i], all);
    f1_sum_ += share(2 * n[3][i], n[4][i] + n[5][i]);
    pixels_.both += n[0][i];
    pixels_.predicted_only += n[1][i] - n[0][i];
    pixels_.truth_only += n[2][i] - n[0][i];
    pixels_.neither += area - all;
  }
  images_ += p.size(0);
}

SegmentationScores SegmentationMetrics::scores() const {
  if (images_ == 0) return {};
  const auto n = static_cast<double>(images_);
  const int64_t differing = pixels_.predicted_only + pixels_.truth_only;
  const double foreground = share(pixels_.both, pixels_.both + differing);
  const double background = share(pixels_.neither, pixels_.neither + differing);
  return {iou_sum_ / n, (foreground + background) / 2, f1_sum_ / n, images_};
}

}  // namespace perennial
