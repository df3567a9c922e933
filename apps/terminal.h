#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "perennial/base/progress.h"

namespace perennial::apps {

/// Progress on standard error: a bar with rate and time left on a terminal, a plain line now and then
/// otherwise. Stops at Ctrl-C, SIGTERM and SIGHUP.
class TerminalProgress : public Progress {
 public:
  explicit TerminalProgress(bool quiet);
  ~TerminalProgress() override;
  void begin(const std::string& what, int64_t total, int64_t done) override;
  void advance(int64_t units) override;
  void end() override;
  void note(const std::string& line) override;
  bool stop_requested() const override;

 private:
  using Clock = std::chrono::steady_clock;
  struct Part {
    std::string what;
    int64_t total, earlier, done;
    Clock::time_point start;
  };
  std::string line() const;
  std::string bar(double share) const;
  void show(bool now);
  void wipe();
  std::vector<Part> parts_;
  Clock::time_point shown_;
  bool quiet_, bar_, drawn_ = false;
};

/// From now on the first SIGINT, SIGTERM or SIGHUP asks to stop at the next safe point, the second ends the
/// program; one that was ignored at the start stays ignored. A broken pipe is an error of writing, no signal.
void catch_signals();

}  // namespace perennial::apps
