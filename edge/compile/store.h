#pragma once

#include <cstddef>
#include <vector>

#include "edge/compile/lower.h"

namespace perennial::edge {

/// The weights of a program as they lie in the file, each operation's at a precision; from then on its
/// offsets are the file's.
std::vector<std::byte> store(Program& program, const Precision& precision);

}  // namespace perennial::edge
