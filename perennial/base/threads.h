#pragma once

#include <cstdint>
#include <functional>

namespace perennial {

/// Sets how many threads parallel_for uses (at least 1). The result of any computation must not depend on it.
void set_thread_count(int threads);
int thread_count();

/// Calls body(begin, end) for consecutive pieces of [0, count), each at least `grain` long but for the last,
/// on several threads; returns when all are done. The first exception of a piece is rethrown here.
/// A call from inside a piece runs on the calling thread alone.
void parallel_for(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

}  // namespace perennial
