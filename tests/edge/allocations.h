#pragma once

#include <cstddef>

namespace perennial::edge {

/// How often this program has called operator new.
int allocations();
/// All bytes that it has asked for there; what was given back counts too.
size_t allocated_bytes();

}  // namespace perennial::edge
