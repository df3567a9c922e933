#pragma once

#include <array>

#include <ATen/core/Tensor.h>

namespace perennial {

/// Mean and standard deviation of the training images, on the scale 0 to 255, in the order blue, green, red.
struct SinetStatistics {
  std::array<float, 3> mean, std;
};

/// Those stored with the published portrait weights.
inline constexpr SinetStatistics kSinetPortrait{{107.304565F, 115.69884F, 132.35703F},
                                                {63.97182F, 65.1337F, 68.29726F}};
/// Those that a port of the same weights by another maker uses.
inline constexpr SinetStatistics kSinetPortraitPort{{113.05697F, 120.847824F, 133.786F},
                                                    {65.05263F, 65.393776F, 67.238205F}};

/// What the published portrait weights take: uint8 RGB [N, 3, H, W] -> float32 [N, 3, H, W] in the order
/// blue, green, red, channels-last: ((v - mean) / std) / 255. The second division is the released code's and
/// the weights need it: without it half of a frame becomes foreground. Throws std::invalid_argument for
/// another type or shape.
at::Tensor sinet_preprocess(const at::Tensor& images, const SinetStatistics& statistics = kSinetPortrait);

}  // namespace perennial
