#pragma once

#include <ATen/core/Tensor.h>

#include "perennial/data/dataset.h"

namespace perennial {

/// uint8 images [N, 1 or 3, H, W] -> float32 [N, 3, H, W], channels-last, on `device`: (x / 255 - mean) /
/// std, grey repeated to three channels. One pass on the CPU. Throws std::invalid_argument for anything else.
at::Tensor normalise(const at::Tensor& images, const Normalisation& normalisation, c10::Device device);

}  // namespace perennial
