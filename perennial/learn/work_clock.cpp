#include "perennial/learn/work_clock.h"

#include <chrono>
#include <utility>

namespace perennial {

void WorkClock::timed(const std::string& kind, const std::function<void()>& work) {
  const double outer = std::exchange(nested_, 0.0);
  const auto start = std::chrono::steady_clock::now();
  const auto account = [&] {
    const double spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    seconds_[kind] += spent - nested_;
    nested_ = outer + spent;
  };
  try {
    work();
  } catch (...) {
    account();
    throw;
  }
  account();
}

}  // namespace perennial
