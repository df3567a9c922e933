#pragma once

namespace perennial {

struct Compute;

/// std::invalid_argument for a device that is unknown or that this machine lacks.
void require_device(const Compute& compute);

}  // namespace perennial
