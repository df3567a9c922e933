#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace perennial {

/// Threads that sleep between jobs. One job at a time, in which its caller works too; any number of callers.
class ThreadPool {
 public:
  ThreadPool();
  ~ThreadPool();

  /// How many threads a job has, its caller's among them; at least 1. Waits for the job that is going on.
  void resize(int threads);
  int size() const;

  /// body(begin, end) for consecutive pieces of [0, count), `piece` long each but for the last; returns when
  /// all are done. The first exception of a piece is rethrown.
  void run(int64_t count, int64_t piece, const std::function<void(int64_t, int64_t)>& body);

 private:
  class Workers;
  std::unique_ptr<Workers> workers_;
};

/// Sets how many threads parallel_for uses (at least 1) in the context of the calling thread
/// (Context::current()). The result of any computation must not depend on it.
void set_thread_count(int threads);
int thread_count();

/// Calls body(begin, end) for consecutive pieces of [0, count), each at least `grain` long but for the last,
/// on the threads of the calling thread's context, which they are in too; returns when all are done. The
/// first exception of a piece is rethrown here. A call from inside a piece runs on the calling thread alone.
void parallel_for(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

}  // namespace perennial
