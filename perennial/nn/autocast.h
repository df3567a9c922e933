#pragma once

#include <optional>

#include <ATen/core/Tensor.h>

namespace perennial {

/// While it lives, convolutions and matrix products on `device` compute in `dtype` (float32: nothing
/// changes).
class Autocast {
 public:
  Autocast(c10::DeviceType device, at::ScalarType dtype);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  c10::DeviceType device_;
  bool active_, was_enabled_ = false;
  at::ScalarType old_dtype_ = at::kFloat;
};

/// The type that products on `device` compute in now, when it is not that of their inputs.
std::optional<at::ScalarType> autocast_dtype(c10::Device device);

}  // namespace perennial
