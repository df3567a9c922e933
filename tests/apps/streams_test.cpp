#include <csignal>
#include <pty.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/apps/command.h"

namespace perennial {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// What follows ` ; ` here runs in the shell, so that redirections are the test's own.
Outcome shell(const std::string& script) {
  const TemporaryFolder folder;
  const std::string out = (folder / "out").string(), err = (folder / "err").string();
  write_file(folder / "script", "p() { " PERENNIAL_BINARY " \"$@\"; }\n" + script + "\n");
  const int status = std::system(("bash " + (folder / "script").string() + " >" + out + " 2>" + err).c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_file(out), read_file(err)};
}

constexpr const char* kLearn =
    "learn --data digits --memory 50 --tasks 2 --epochs 1 --width 0.2 --threads 1 --set stream.limit=200 "
    "--out ";

TEST(Streams, AnAnswerThatDoesNotArriveIsAFailure) {
  const TemporaryFolder folder;
  for (const std::string command : {"--help", "--version", "methods", "methods rm --json", "completion bash",
                                    "completion fish", "data info --data digits --quiet",
                                    "data show --data digits --quiet", "segment layers", "edge --help"}) {
    for (const std::string where : {" >/dev/full", " >&-"}) {
      const Outcome o = shell("p " + command + where);
      EXPECT_EQ(o.status, 1) << command << where;
      EXPECT_THAT(o.err, HasSubstr("perennial: writing to standard output: found ")) << command << where;
      EXPECT_EQ(std::count(o.err.begin(), o.err.end(), '\n'), 1) << o.err;
    }
  }
  EXPECT_EQ(shell("p methods >/dev/null").status, 0);
  EXPECT_EQ(shell("p nonsense >/dev/full").status, 2);  // nothing was to be written there
  EXPECT_EQ(shell("p methods >/dev/full 2>&1").status, 1);
}

TEST(Streams, ABrokenPipeEndsQuietly) {
  const Outcome o = shell("p methods rm | true; echo ${PIPESTATUS[0]}");
  EXPECT_THAT(o.out, testing::AnyOf("141\n", "0\n"));  // 0: it was faster
  EXPECT_THAT(o.err, IsEmpty());
  EXPECT_THAT(shell("for i in 1 2 3; do p completion bash; done | head -1").err, IsEmpty());
}

TEST(Streams, WhatCannotBeShownIsLeftUnshown) {
  const TemporaryFolder folder;
  const std::string run = (folder / "run").string();
  for (const std::string where : {" 2>/dev/full", " 2>&-", " 2> >(true)", " </dev/null 2>&- <&-"}) {
    const Outcome o = shell("p " + std::string(kLearn) + run + where + " && rm -r " + run);
    EXPECT_EQ(o.status, 0) << where;
    EXPECT_THAT(o.out, HasSubstr("A_last")) << where;
  }
  EXPECT_EQ(shell("p nonsense 2>/dev/full").status, 2);
}

// With its streams closed a program's first file would be its standard input, output and error.
TEST(Streams, NoFileTakesTheNumberOfAClosedStream) {
  const TemporaryFolder folder;
  const std::string run = (folder / "run").string();
  const Outcome o = shell("p " + std::string(kLearn) + run + " <&- >&- 2>&-; echo $?");
  EXPECT_EQ(o.out, "1\n");  // the answer is lost, the run is not
  EXPECT_THAT(read_file(run + "/log.txt"), Not(HasSubstr("A_last")));
  EXPECT_EQ(shell("p report " + run).status, 0);
}

/// The status of a command on a terminal that is closed once `file` is there; SIGHUP as `at_hang_up`.
int hung_up(const std::string& arguments, const std::string& file, void (*at_hang_up)(int)) {
  int terminal = -1;
  const pid_t pid = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  if (pid == 0) {
    std::signal(SIGHUP, at_hang_up);
    ::execl("/bin/sh", "sh", "-c", ("exec " PERENNIAL_BINARY " " + arguments).c_str(), nullptr);
    ::_exit(127);
  }
  for (int i = 0; i < 600 && !std::filesystem::exists(file); ++i) ::usleep(50'000);
  ::close(terminal);
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(Streams, ATerminalThatHangsUpIsNotMissed) {
  const TemporaryFolder folder;
  const std::string run = (folder / "run").string();
  EXPECT_EQ(hung_up(kLearn + run, run + "/checkpoint", SIG_IGN), 0);
  EXPECT_THAT(shell("p resume " + run).err, HasSubstr("has finished"));
}

TEST(Streams, AHangUpWritesTheCheckpoint) {
  const TemporaryFolder folder;
  const std::string run = (folder / "run").string();
  EXPECT_EQ(
      hung_up(
          "learn --data digits --memory 50 --epochs 400 --threads 1 --set checkpoint.seconds=1000 --out " +
              run,
          run + "/metrics.json", SIG_DFL),
      130);
  EXPECT_THAT(read_file(run + "/log.txt"), Not(HasSubstr("finished")));
}

TEST(Streams, SignalsThatWereIgnoredStayIgnored) {
  const TemporaryFolder folder;
  const std::string run = (folder / "run").string();
  const std::string until =
      "until ls " + run + "/checkpoint/*.safetensors >/dev/null 2>&1; do sleep 0.05; done; ";
  for (const std::string signal : {"INT", "HUP"}) {
    const Outcome o = shell("trap '' " + signal + "; p " + kLearn + run + " --quiet & " + until + "kill -" +
                            signal + " $!; wait $!; echo $?; rm -r " + run);
    EXPECT_THAT(o.out, testing::EndsWith("0\n")) << signal;
  }
}

/// What a terminal of so many columns is shown, TERM being `term`.
std::string shown(unsigned short columns, const std::string& term) {
  const TemporaryFolder folder;
  struct winsize size{};
  size.ws_col = columns;
  int terminal = -1;
  const pid_t pid = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (pid == 0) {
    ::setenv("TERM", term.c_str(), 1);
    const std::string run = (folder / "a-folder-with-a-long-name").string();
    ::execl("/bin/sh", "sh", "-c",
            ("exec " PERENNIAL_BINARY " " + std::string(kLearn) + run + " >/dev/null --epochs 200").c_str(),
            nullptr);
    ::_exit(127);
  }
  std::string text;
  char chunk[4096];
  for (ssize_t n; (n = ::read(terminal, chunk, sizeof chunk)) > 0;)
    text.append(chunk, static_cast<size_t>(n));
  ::close(terminal);
  ::waitpid(pid, nullptr, 0);
  return text;
}

TEST(Progress, FitsTheTerminal) {
  const std::string narrow = shown(20, "xterm");
  for (size_t at = 0; (at = narrow.find("\r\x1b[K", at)) != std::string::npos;) {
    at += 4;
    const auto end = narrow.find_first_of("\r\n", at);
    if (narrow.compare(end, 2, "\r\n") == 0) continue;  // a result, which may take two lines
    EXPECT_LE(narrow.substr(at, end - at).size(), 19U) << narrow.substr(at, end - at);
  }
  EXPECT_THAT(narrow, HasSubstr("\x1b[K"));
  EXPECT_THAT(shown(0, "xterm"), HasSubstr("█"));  // a terminal that does not know its width
  for (const char* term : {"dumb", ""}) EXPECT_THAT(shown(80, term), Not(HasSubstr("\x1b"))) << term;
}

}  // namespace
}  // namespace perennial
