#include "edge/files.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <new>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

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
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
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

// Does not wait for the other end of a pipe.
Descriptor open_file(const std::string& path) {
  return Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

size_t size_of(const Descriptor& file, const std::string& path) {
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) fail(path);
  if (S_ISDIR(status.st_mode)) fail(path, EISDIR);
  if (!S_ISREG(status.st_mode))
    throw std::system_error(EINVAL, std::generic_category(),
                            path + ": expected a file, found a pipe or device");
  return static_cast<size_t>(status.st_size);
}

// As long as it was when it was opened: bytes that are gone since are missing at the end.
HeldBytes read_all(const Descriptor& file, const std::string& path, size_t most) {
  const size_t size = std::min(size_of(file, path), most < SIZE_MAX ? most + 1 : most);
  const std::shared_ptr<void> memory(std::aligned_alloc(64, size / 64 * 64 + 64), &std::free);
  if (memory == nullptr) throw std::bad_alloc();
  auto* bytes = static_cast<std::byte*>(memory.get());
  size_t at = 0;
  for (ssize_t done = 1; done != 0 && at < size;) {
    done = ::read(file.get(), bytes + at, size - at);
    if (done < 0 && errno != EINTR) fail(path);
    at += static_cast<size_t>(std::max<ssize_t>(0, done));
  }
  return {memory, {bytes, at}};
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "./" : path.substr(0, slash + 1);
}

// Where a link leads, whether or not there is a file yet.
std::string followed(std::string path) {
  constexpr int kMostLinks = 40;
  char target[PATH_MAX];
  for (int i = 0; i < kMostLinks; ++i) {
    const ssize_t length = ::readlink(path.c_str(), target, sizeof target);
    if (length <= 0 || length == ssize_t{sizeof target}) break;
    const std::string to(target, static_cast<size_t>(length));
    path = to.front() == '/' ? to : folder_of(path) + to;
  }
  return path;
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

HeldBytes read_file(const std::string& path, size_t most) {
  const Descriptor file = open_file(path);
  if (file.get() < 0) fail(path);
  return read_all(file, path, most);
}

std::optional<HeldBytes> read_if_there(const std::string& path, size_t most) {
  const Descriptor file = open_file(path);
  if (file.get() >= 0) return read_all(file, path, most);
  if (errno != ENOENT) fail(path);
  return std::nullopt;
}

HeldBytes map_file(const std::string& path) {
  const Descriptor file = open_file(path);
  if (file.get() < 0) fail(path);
  const size_t size = size_of(file, path);
  if (size == 0) return {};
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) fail(path);
  return {std::shared_ptr<const void>(data, [size](void* at) { ::munmap(at, size); }),
          {static_cast<const std::byte*>(data), size}};
}

void write_atomically(const std::string& named, std::span<const std::byte> bytes) {
  const std::string path = followed(named);
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
