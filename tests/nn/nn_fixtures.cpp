#include "tests/nn/nn_fixtures.h"

#include <stdexcept>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include "perennial/base/random.h"
#include "perennial/nn/init.h"

namespace perennial {

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return a.detach().to(at::kDouble).sub(b.detach().to(at::kDouble)).abs().max().item().toDouble();
}

at::Tensor noise(at::IntArrayRef shape, uint64_t seed) { return uniform(shape, 1.0, seed, "noise"); }

at::Tensor noise_images(at::IntArrayRef shape, uint64_t seed) {
  return noise(shape, seed).add_(1).mul_(127.5).to(at::kByte);
}

at::Tensor pattern_image(int64_t side) {
  at::Tensor image = at::empty({1, 3, side, side}, at::kByte);
  auto* values = image.mutable_data_ptr<uint8_t>();
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t y = 0; y < side; ++y)
      for (int64_t x = 0; x < side; ++x) *values++ = static_cast<uint8_t>(97 * c + 31 * y + 17 * x);
  return image;
}

void disturb_norms(TensorList& tensors, uint64_t seed) {
  const at::NoGradGuard no_grad;
  for (const NamedTensor& t : tensors.all()) {
    if (t.value.dim() != 1) continue;
    const at::Tensor change = noise(t.value.sizes(), mix64(seed, hash64(t.name)));
    t.value.add_(change, t.name.ends_with("running_var") ? 0.5 : 0.3);
  }
}

at::Tensor named(const TensorList& tensors, const std::string& name) {
  for (const NamedTensor& t : tensors.all())
    if (t.name == name) return t.value;
  throw std::invalid_argument("no tensor " + name);
}

std::unique_ptr<Backbone> plain_backbone(const std::string& name, at::IntArrayRef shape, double width,
                                         uint64_t seed) {
  ModelOptions options;
  options.name = name;
  options.width = width;
  return make_backbone(options, shape, seed);
}

}  // namespace perennial
