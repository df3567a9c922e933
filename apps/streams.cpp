#include "apps/streams.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "apps/commands.h"

namespace perennial::apps {
void open_closed_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF)  // open takes the lowest number that is free: this one
      static_cast<void>(::open("/dev/null", fd == STDERR_FILENO ? O_RDWR : O_RDONLY));
}

void tell(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

int delivered(int status, int error) {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  if (errno != 0) error = errno;
  if (error == EPIPE) {
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
  }
  const bool hung_up = ::isatty(STDOUT_FILENO) == 0 && errno == EIO;
  if (status != kDone || hung_up) return status;
  tell(std::string("perennial: writing to standard output: found ") +
       (error == 0 ? "an error" : std::strerror(error)) + "\n");
  return kFailed;
}

}  // namespace perennial::apps
