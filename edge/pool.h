#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace perennial::edge {

/// Threads that do the parts of one piece of work after the other, together with the caller's. They look for
/// work for some tens of microseconds and then sleep. Nothing is allocated while they work; the work must not
/// throw.
class Pool {
 public:
  /// `threads` in all, the caller's among them. Throws std::system_error when there are no more threads.
  explicit Pool(size_t threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  size_t threads() const { return helpers_.size() + 1; }
  /// Calls work(part) for each part below `parts` <= threads(), all at once; returns when all are done.
  template <class Work>
  void run(size_t parts, const Work& work) {
    run({[](const void* w, size_t part) { (*static_cast<const Work*>(w))(part); }, &work, parts});
  }

 private:
  struct Job {
    void (*call)(const void*, size_t);
    const void* work;
    size_t parts;
  };
  void run(Job job);
  void start(Job job);
  void help(size_t part);
  void stop();

  std::vector<std::thread> helpers_;
  Job job_{};
  std::atomic<uint32_t> round_{0}, busy_{0};
};

}  // namespace perennial::edge
