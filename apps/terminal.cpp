#include "apps/terminal.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

#include <fmt/format.h>

namespace perennial::apps {
namespace {

volatile std::sig_atomic_t stop_signals = 0;

extern "C" void on_signal(int number) {
  stop_signals = stop_signals + 1;
  if (stop_signals > 1) _exit(128 + number);
}

std::string duration(double seconds) {
  const auto s = static_cast<int64_t>(seconds + 0.5);
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

void catch_signals() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

TerminalProgress::TerminalProgress(bool quiet)
    : shown_(Clock::now()),
      quiet_(quiet),
      bar_(isatty(STDERR_FILENO) != 0 && std::getenv("NO_PROGRESS") == nullptr) {}

TerminalProgress::~TerminalProgress() { wipe(); }

void TerminalProgress::begin(const std::string& what, int64_t total) {
  parts_.push_back({what, total, 0, Clock::now()});
  show(false);
}

void TerminalProgress::advance(int64_t units) {
  if (parts_.empty()) return;
  parts_.back().done += units;
  show(false);
}

void TerminalProgress::end() {
  if (!parts_.empty()) parts_.pop_back();
  if (parts_.empty()) wipe();
}

void TerminalProgress::note(const std::string& text) {
  if (quiet_) return;
  wipe();
  fmt::print(stderr, "{}\n", text);
}

bool TerminalProgress::stop_requested() const { return stop_signals > 0; }

std::string TerminalProgress::line(const Part& part) const {
  const double seconds = seconds_since(part.start);
  const double rate = seconds > 0 ? static_cast<double>(part.done) / seconds : 0;
  if (part.total <= 0) return fmt::format("{}  {}  {:.0f}/s", part.what, part.done, rate);
  const double share = std::min(1.0, static_cast<double>(part.done) / static_cast<double>(part.total));
  const std::string left = rate > 0 ? duration(static_cast<double>(part.total - part.done) / rate) : "?";
  std::string bar;
  if (bar_) {
    const int full = static_cast<int>(share * 20);
    for (int i = 0; i < 20; ++i) bar += i < full ? "█" : "░";
    bar += "  ";
  }
  return fmt::format("{}  {}{:.0f}%  {}/{}  {:.0f}/s  {} left", part.what, bar, 100 * share, part.done,
                     part.total, rate, left);
}

void TerminalProgress::show(bool now) {
  if (quiet_ || parts_.empty()) return;
  if (!now && seconds_since(shown_) < (bar_ ? 0.1 : 15.0)) return;
  shown_ = Clock::now();
  if (bar_)
    fmt::print(stderr, "\r\033[K{}", line(parts_.back())), drawn_ = true;
  else
    fmt::print(stderr, "{}\n", line(parts_.back()));
  std::fflush(stderr);
}

void TerminalProgress::wipe() {
  if (!drawn_) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace perennial::apps
