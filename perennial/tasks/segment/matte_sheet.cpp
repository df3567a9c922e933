#include "perennial/tasks/segment/matte_sheet.h"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include "perennial/io/image.h"

namespace perennial {
namespace {

// uint8 [N, C, H, W] averaged to tiles.
at::Tensor tiles(const at::Tensor& pixels) {
  return at::adaptive_avg_pool2d(pixels.to(at::kFloat), {MatteSheet::kTile, MatteSheet::kTile})
      .round()
      .to(at::kByte);
}

// Mattes 0 and 1 [N, H, W] to shares of 255 [N, 1, kTile, kTile].
at::Tensor shares(const at::Tensor& mattes) { return tiles(mattes.unsqueeze(1).mul(255)); }

at::Tensor cut_out(const at::Tensor& images, const at::Tensor& alpha) {
  const at::Tensor a = alpha.to(at::kFloat) / 255;
  const at::Tensor behind = at::tensor({46.0F, 139.0F, 87.0F}).view({1, 3, 1, 1});
  return (images.to(at::kFloat) * a + behind * (1 - a)).round().to(at::kByte);
}

}  // namespace

void MatteSheet::begin(const at::Tensor& images, const at::Tensor& truth, const at::Tensor& before) {
  images_ = tiles(images);
  truth_ = shares(truth);
  now_ = before_ = shares(before);
}

void MatteSheet::now(const at::Tensor& mattes) { now_ = shares(mattes); }

Image MatteSheet::picture() const {
  const at::Tensor columns =
      at::cat({images_, cut_out(images_, truth_), cut_out(images_, before_), cut_out(images_, now_)}, 3);
  const at::Tensor sheet = columns.permute({1, 0, 2, 3}).contiguous();  // [3, N, kTile, 4 kTile]
  Image image{3, rows() * kTile, kColumns * kTile, {}};
  image.pixels.assign(sheet.const_data_ptr<uint8_t>(), sheet.const_data_ptr<uint8_t>() + sheet.numel());
  return image;
}

void MatteSheet::save(State& state, const std::string& prefix) const {
  if (empty()) return;
  state.tensors[prefix + "images"] = images_;
  state.tensors[prefix + "truth"] = truth_;
  state.tensors[prefix + "before"] = before_;
  state.tensors[prefix + "now"] = now_;
}

void MatteSheet::load(const State& state, const std::string& prefix) {
  if (!state.has_tensor(prefix + "images")) return;
  images_ = state.tensor(prefix + "images");
  truth_ = state.tensor(prefix + "truth");
  before_ = state.tensor(prefix + "before");
  now_ = state.tensor(prefix + "now");
}

}  // namespace perennial
