#pragma once

namespace perennial::edge {

/// How often this program has called operator new.
int allocations();

}  // namespace perennial::edge
