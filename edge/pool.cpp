#include "edge/pool.h"

#include <hwy/cache_control.h>

#include "edge/subnormals.h"

namespace perennial::edge {
namespace {

constexpr int kSpins = 2000;
constexpr uint32_t kStop = 0xffffffff;

// Returns when `value` is no longer `old`.
void await(const std::atomic<uint32_t>& value, uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_relaxed) != old) return;
    hwy::Pause();
  }
  value.wait(old, std::memory_order_relaxed);
}

}  // namespace

Pool::Pool(size_t threads) {
  try {
    for (size_t i = 1; i < threads; ++i) helpers_.emplace_back(&Pool::help, this);
  } catch (...) {
    stop();
    throw;
  }
}

Pool::~Pool() { stop(); }

void Pool::stop() {
  waiting_.store(kStop, std::memory_order_relaxed);
  waiting_.notify_all();
  for (std::thread& t : helpers_) t.join();
}

void Pool::begin(Call call, const void* work, size_t parts) {
  call_ = call, work_ = work;
  unfinished_.store(static_cast<uint32_t>(parts), std::memory_order_relaxed);
  waiting_.store(static_cast<uint32_t>(parts), std::memory_order_release);
  waiting_.notify_all();
  while (take_part()) {
  }
  for (uint32_t left = 0; (left = unfinished_.load(std::memory_order_acquire)) != 0;)
    await(unfinished_, left);
}

// Does one part if one is waiting. Whoever has taken a part may read what the work is: it does not change
// before all are done.
bool Pool::take_part() {
  uint32_t waiting = waiting_.load(std::memory_order_relaxed);
  do {
    if (waiting == 0 || waiting == kStop) return false;
  } while (!waiting_.compare_exchange_weak(waiting, waiting - 1, std::memory_order_acquire,
                                           std::memory_order_relaxed));
  call_(work_, waiting - 1);
  if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
  return true;
}

void Pool::help() {
  const FlushSubnormals flush;
  while (waiting_.load(std::memory_order_relaxed) != kStop)
    if (!take_part()) await(waiting_, 0);
}

}  // namespace perennial::edge
