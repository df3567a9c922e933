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
  constexpr char kText[] =
      "\nstopping at the next safe point; once more stops at once, back to the last checkpoint\n";
  stop_signals = stop_signals + 1;
  if (stop_signals > 1) _exit(128 + number);
  if (isatty(STDERR_FILENO) != 0) static_cast<void>(!write(STDERR_FILENO, kText, sizeof(kText) - 1));
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

void TerminalProgress::begin(const std::string& what, int64_t total, int64_t done) {
  parts_.push_back({what, total, done, done, Clock::now()});
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

std::string TerminalProgress::bar(double share) const {
  if (!bar_) return "";
  std::string text;
  for (int i = 0; i < 20; ++i) text += i < static_cast<int>(share * 20) ? "█" : "░";
  return text + "  ";
}

// Whatever has a total, from the outermost part inwards; the innermost with its rate:
// "task 2/5  █████░░  34%  1m20s left  memory epoch 12/64  300/500  950/s".
std::string TerminalProgress::line() const {
  double inner = 0;
  std::string text;
  for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) {
    const double seconds = seconds_since(part->start), done = static_cast<double>(part->done);
    std::string own = part->what;
    const bool innermost = part == parts_.rbegin();
    if (part->total > 0) {
      const double share = std::min(1.0, (done + inner) / static_cast<double>(part->total));
      const double begun = static_cast<double>(part->earlier) / static_cast<double>(part->total);
      const bool outermost = part + 1 == parts_.rend();
      if (outermost)
        own += fmt::format("  {}{:.0f}%  {} left", bar(share), 100 * share,
                           share > begun ? duration(seconds * (1 - share) / (share - begun)) : "?");
      inner = share;
    }
    if (innermost) {
      if (part->total > 0) own += fmt::format("  {}/{}", part->done, part->total);
      const double rate = (done - static_cast<double>(part->earlier)) / std::max(seconds, 1e-3);
      if (rate >= 1) own += fmt::format("  {:.0f}/s", rate);
    }
    text = text.empty() ? own : own + "  " + text;
  }
  return text;
}

void TerminalProgress::show(bool now) {
  if (quiet_ || parts_.empty()) return;
  if (!now && seconds_since(shown_) < (bar_ ? 0.1 : 15.0)) return;
  shown_ = Clock::now();
  if (bar_)
    fmt::print(stderr, "\r\033[K{}", line()), drawn_ = true;
  else
    fmt::print(stderr, "{}\n", line());
  std::fflush(stderr);
}

void TerminalProgress::wipe() {
  if (!drawn_) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace perennial::apps
