#include "apps/terminal.h"

#include <csignal>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "apps/streams.h"
#include "perennial/base/display_width.h"
#include "perennial/base/environment.h"

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

// A terminal without abilities has no way back to the line's beginning, and no bar.
bool can_draw() {
  const auto terminal = environment("TERM");
  return isatty(STDERR_FILENO) != 0 && terminal && *terminal != "dumb" && !environment("NO_PROGRESS");
}

// Asked each time: people resize their windows. Some report 0 columns.
int64_t terminal_columns() {
  struct winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

void catch_signals() {
  std::signal(SIGPIPE, SIG_IGN);  // whoever writes is told by EPIPE
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action{};
    sigaction(number, nullptr, &action);
    if (action.sa_handler == SIG_IGN) continue;  // as nohup, and shells for what runs in the background, ask
    action.sa_handler = on_signal;
    sigaction(number, &action, nullptr);
  }
}

TerminalProgress::TerminalProgress(bool quiet) : shown_(Clock::now()), quiet_(quiet), bar_(can_draw()) {}

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
  tell(text + "\n");
}

bool TerminalProgress::stop_requested() const { return stop_signals > 0; }

std::string TerminalProgress::bar(double share) const {
  if (!bar_ || terminal_columns() < 60) return "";
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
  // One column stays free: a full line would wrap.
  tell(bar_ ? "\r\033[K" + cut_to_width(line(), terminal_columns() - 1) : cut_to_width(line(), 1000) + "\n");
  drawn_ = bar_;
}

void TerminalProgress::wipe() {
  if (drawn_) tell("\r\033[K");
  drawn_ = false;
}

}  // namespace perennial::apps
