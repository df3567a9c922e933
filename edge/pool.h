#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace perennial::edge {

/// Threads that do the parts of one piece of work after the other, together with the caller's. A part goes to
/// whoever asks first, so that a thread that does not come in time is not waited for. Threads look for work
/// for some tens of microseconds and then sleep. Nothing is allocated while they work; the work must not
/// throw.
class Pool {
 public:
  /// `threads` in all, the caller's among them. Throws std::system_error when there are no more threads.
  explicit Pool(size_t threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  size_t threads() const { return helpers_.size() + 1; }
  /// Calls work(part) for each part below `parts`; returns when all are done.
  template <class Work>
  void run(size_t parts, const Work& work) {
    begin([](const void* w, size_t part) { (*static_cast<const Work*>(w))(part); }, &work, parts);
  }

 private:
  using Call = void (*)(const void*, size_t);
  void begin(Call call, const void* work, size_t parts);
  bool take_part();
  void help();
  void stop();

  std::vector<std::thread> helpers_;
  Call call_ = nullptr;
  const void* work_ = nullptr;
  std::atomic<uint32_t> waiting_{0}, unfinished_{0};  ///< parts that nobody has begun; that are not done
};

}  // namespace perennial::edge
