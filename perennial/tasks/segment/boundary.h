#pragma once

#include <ATen/core/Tensor.h>

namespace perennial {

/// What boundary labels and the boundary F1 leave out.
inline constexpr int64_t kIgnoredLabel = 255;

/// The pixels near the contour of foreground: dilation minus erosion by a square of `side` pixels (odd; Park
/// et al., WACV 2020, section 3.3). mask: [N, H, W], foreground is 1, anything else is background -> bool
/// [N, H, W]. Beyond the border there is neither. Throws std::invalid_argument for an even side.
at::Tensor boundary_band(const at::Tensor& mask, int64_t side);

/// The labels inside the band, kIgnoredLabel elsewhere: int64 [N, H, W].
at::Tensor boundary_labels(const at::Tensor& labels, int64_t side);

}  // namespace perennial
