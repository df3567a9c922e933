#include "edge/files.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <climits>

namespace perennial::edge {
namespace {

[[noreturn]] void fail(const std::string& path, int error = errno) {
  throw std::system_error(error, std::generic_category(), path);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

bool write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(done));
  }
  return true;
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "./" : path.substr(0, slash + 1);
}

// A new file beside `path` of a name that is not too long, and of the mode that the umask leaves.
int create_beside(const std::string& path, std::string& beside) {
  constexpr int kMostTries = 100;
  const size_t slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  int fd = -1;
  for (int i = 0; i < kMostTries && fd < 0; ++i) {
    const std::string ending = ".tmp" + std::to_string(::getpid()) + "-" + std::to_string(i);
    beside = folder_of(path) + name.substr(0, NAME_MAX - ending.size()) + ending;
    fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno != EEXIST) fail(path);
  }
  return fd;
}

// A file that replaces another keeps its mode, and its owner where that is allowed.
void take_after(int fd, const std::string& replaced) {
  struct stat old{};
  if (::stat(replaced.c_str(), &old) != 0) return;
  if (::fchown(fd, old.st_uid, old.st_gid) != 0) static_cast<void>(!::fchown(fd, uid_t(-1), old.st_gid));
  ::fchmod(fd, old.st_mode & 0777);
}

}  // namespace

std::optional<std::vector<std::byte>> read_if_there(const std::string& path, size_t most) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT) return std::nullopt;
    fail(path);
  }
  std::vector<std::byte> all;
  for (ssize_t done = 1; done != 0 && all.size() <= most;) {
    const size_t before = all.size(), room = std::min<size_t>(most + 1 - before, 1 << 16);
    all.resize(before + room);
    done = ::read(file.get(), all.data() + before, room);
    if (done < 0 && errno != EINTR) fail(path);
    all.resize(before + static_cast<size_t>(done < 0 ? 0 : done));
  }
  return all;
}

void write_atomically(const std::string& named, std::span<const std::byte> bytes) {
  const std::unique_ptr<char, decltype(&std::free)> followed(::realpath(named.c_str(), nullptr), &std::free);
  const std::string path = followed ? followed.get() : named;
  std::string beside;
  const Descriptor file(create_beside(path, beside));
  if (file.get() < 0) fail(path);
  take_after(file.get(), path);
  if (!write_all(file.get(), bytes) || ::fsync(file.get()) != 0 ||
      ::rename(beside.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(beside.c_str());
    fail(path, error);
  }
  // The renaming is on the disk when the folder is; some file systems cannot say.
  const Descriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0) ::fsync(folder.get());
}

}  // namespace perennial::edge
