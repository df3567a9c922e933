#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/max.h>
#include <ATen/ops/sub.h>

#include "perennial/nn/backbone.h"

namespace perennial {

/// Largest absolute difference, as a number.
double largest_difference(const at::Tensor& a, const at::Tensor& b);

/// U(-1, 1) float32 values, a function of `seed`.
at::Tensor noise(at::IntArrayRef shape, uint64_t seed);

/// uint8 noise, a function of `seed`.
at::Tensor noise_images(at::IntArrayRef shape, uint64_t seed);

/// [1, 3, side, side] uint8 with value (97 c + 31 y + 17 x) mod 256.
at::Tensor pattern_image(int64_t side);

/// Gives every BatchNorm statistics, weights and biases as after a training that moved them.
void disturb_norms(TensorList& tensors, uint64_t seed);

/// The tensor of that name.
at::Tensor named(const TensorList& tensors, const std::string& name);

/// A backbone without weights from a file.
std::unique_ptr<Backbone> plain_backbone(const std::string& name, at::IntArrayRef shape, double width = 1,
                                         uint64_t seed = 1);

}  // namespace perennial
