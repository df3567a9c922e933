#include "edge/pool.h"

#include <hwy/cache_control.h>

#include "edge/subnormals.h"

namespace perennial::edge {
namespace {

constexpr int kSpins = 2000;

// Until `value` is no longer `old`.
uint32_t await(const std::atomic<uint32_t>& value, uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    const uint32_t now = value.load(std::memory_order_acquire);
    if (now != old) return now;
    hwy::Pause();
  }
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

}  // namespace

Pool::Pool(size_t threads) {
  try {
    for (size_t part = 1; part < threads; ++part) helpers_.emplace_back(&Pool::help, this, part);
  } catch (...) {
    stop();
    throw;
  }
}

Pool::~Pool() { stop(); }

void Pool::stop() {
  start({});
  for (std::thread& t : helpers_) t.join();
}

void Pool::start(Job job) {
  job_ = job;
  busy_.store(static_cast<uint32_t>(helpers_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
}

void Pool::run(Job job) {
  start(job);
  job.call(job.work, 0);
  for (uint32_t left = busy_.load(std::memory_order_acquire); left != 0;) left = await(busy_, left);
}

void Pool::help(size_t part) {
  const FlushSubnormals flush;
  for (uint32_t round = 0;;) {
    round = await(round_, round);
    if (job_.call == nullptr) return;
    if (part < job_.parts) job_.call(job_.work, part);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_one();
  }
}

}  // namespace perennial::edge
