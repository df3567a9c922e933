#pragma once

#include <cstdint>

namespace perennial {

struct Compute;

/// std::invalid_argument for a device that is unknown or that this machine lacks.
void require_device(const Compute& compute);

/// From now on our kernels and libtorch's use this many threads; 0: as many as the machine has.
void use_threads(int64_t threads);

}  // namespace perennial
