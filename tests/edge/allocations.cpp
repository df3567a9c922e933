#include "tests/edge/allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<int> count{0};
std::atomic<size_t> bytes{0};
}  // namespace

int perennial::edge::allocations() { return count; }
size_t perennial::edge::allocated_bytes() { return bytes; }

// The thread sanitizer has operators of its own: nothing is counted under it.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PERENNIAL_NO_COUNT
#endif
#endif

#ifndef PERENNIAL_NO_COUNT
void* operator new(size_t size) {
  ++count;
  bytes += size;
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }
#endif
