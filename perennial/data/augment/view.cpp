#include "perennial/data/augment/view.h"

#include <vector>

namespace perennial {
namespace {

template <class T>
T* grown(std::vector<T>& memory, size_t count) {
  if (memory.size() < count) memory.resize(count);
  return memory.data();
}

}  // namespace

uint8_t* pixel_scratch(size_t bytes) {
  thread_local std::vector<uint8_t> memory;
  return grown(memory, bytes);
}

int32_t* index_scratch(size_t count) {
  thread_local std::vector<int32_t> memory;
  return grown(memory, count);
}

}  // namespace perennial
