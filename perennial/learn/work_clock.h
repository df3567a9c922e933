#pragma once

#include <functional>
#include <map>
#include <string>

namespace perennial {

/// Seconds spent by kind of work.
class WorkClock {
 public:
  /// Adds the time `work` takes, less what timed() inside it accounts for, to seconds()[kind].
  void timed(const std::string& kind, const std::function<void()>& work);
  const std::map<std::string, double>& seconds() const { return seconds_; }
  void restore(std::map<std::string, double> seconds) { seconds_ = std::move(seconds); }

 private:
  std::map<std::string, double> seconds_;
  double nested_ = 0;
};

}  // namespace perennial
