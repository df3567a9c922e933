#include "perennial/base/child.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "perennial/base/error.h"
#include "perennial/base/text.h"

extern char** environ;

namespace perennial {
namespace {

// Runs `command` with these as its standard streams; nothing is read where there is nothing to read.
int spawn(const std::vector<std::string>& command, int in, int out, int err, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (in >= 0)
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  else
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (out >= 0)
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  else
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t usual;
  sigemptyset(&usual);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) sigaddset(&usual, number);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int code =
      ::posix_spawnp(&pid, command.front().c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return code;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return status;
}

}  // namespace

Child::Child(const std::vector<std::string>& command, Pipe pipe, const std::string& hint)
    : name_(command.front()) {
  // A pair of sockets, since only for those an end that is gone can be an error instead of a signal.
  int ends[2];
  complaints_ = ::memfd_create("complaints", MFD_CLOEXEC);
  if (complaints_ < 0 || ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw Error({"starting", name_, "a pipe", std::strerror(errno)});
  const bool reads = pipe == Pipe::kRead;
  ::shutdown(ends[0], reads ? SHUT_WR : SHUT_RD);
  fd_ = ends[0];
  pid_t pid = -1;
  const int code = spawn(command, reads ? -1 : ends[1], reads ? ends[1] : -1, complaints_, pid);
  pid_ = code == 0 ? pid : -1;
  ::close(ends[1]);
  if (code == 0) return;
  ::close(fd_);
  ::close(complaints_);
  throw Error({"starting", name_, "the program " + name_ + " (" + hint + ")", std::strerror(code)});
}

Child::~Child() {
  if (pid_ >= 0) {
    ::kill(-pid_, SIGKILL);
    wait_for(pid_);
  }
  if (fd_ >= 0) ::close(fd_);
  ::close(complaints_);
}

size_t Child::read(uint8_t* to, size_t size) {
  size_t got = 0;
  while (got < size) {
    const ssize_t n = ::read(fd_, to + got, size - got);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    got += static_cast<size_t>(n);
  }
  return got;
}

bool Child::write(const void* from, size_t size) {
  const auto* bytes = static_cast<const char*>(from);
  while (size > 0) {
    const ssize_t n = ::send(fd_, bytes, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n, size -= static_cast<size_t>(n);
  }
  return true;
}

std::string Child::last_complaint() const {
  constexpr off_t kMost = 4096;
  const off_t end = ::lseek(complaints_, 0, SEEK_END);
  std::string text(static_cast<size_t>(std::min(end, kMost)), '\0');
  const ssize_t got = ::pread(complaints_, text.data(), text.size(), std::max<off_t>(0, end - kMost));
  text.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
  const auto lines = split(text, '\n');
  return lines.empty() ? "" : lines.back();
}

void Child::ask_to_end() {
  const pid_t pid = pid_;
  if (pid >= 0) ::kill(-pid, SIGTERM);
}

std::string Child::finish() {
  ::close(fd_);
  fd_ = -1;
  const int status = wait_for(pid_.exchange(-1));
  const std::string complaint = last_complaint();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return complaint;
  std::string found = WIFEXITED(status) ? "status " + std::to_string(WEXITSTATUS(status))
                                        : "its death by signal " + std::to_string(WTERMSIG(status));
  if (!complaint.empty()) found += ": " + complaint;
  throw Error({"running", name_, "that it ends well", found});
}

}  // namespace perennial
