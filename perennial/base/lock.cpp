#include "perennial/base/lock.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"

namespace perennial {
namespace {

int open_lock(const std::filesystem::path& file) {
  constexpr int kFlags = O_CLOEXEC | O_NOFOLLOW;
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | kFlags, 0666);
  if (fd >= 0 || errno != EACCES) return fd;
  // One that another user's killed process left behind: a lock needs no right to write.
  const int readable = ::open(file.c_str(), O_RDONLY | kFlags);
  if (readable < 0) errno = EACCES;
  return readable;
}

/// Whether the name still leads to the open file: whoever held the lock before removed it.
bool is_still(int fd, const std::filesystem::path& file) {
  struct stat opened{}, named{};
  return ::fstat(fd, &opened) == 0 && ::lstat(file.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

std::string holder(int fd) {
  char text[16] = {};
  const ssize_t n = ::pread(fd, text, sizeof text - 1, 0);
  const std::string pid(text, n > 0 ? static_cast<size_t>(n) : 0);
  const bool number = !pid.empty() && pid.find_first_not_of("0123456789") == std::string::npos;
  return (number ? "process " + pid : std::string("another one")) + " (wait for its end, or stop it)";
}

}  // namespace

FileLock::FileLock(std::filesystem::path file, const std::string& doing, const std::filesystem::path& state)
    : file_(std::move(file)) {
  while (!take(doing, state)) {
  }
}

FileLock::~FileLock() {
  if (is_still(fd_, file_)) ::unlink(file_.c_str());
  ::close(fd_);
}

/// False when the file went away in between.
bool FileLock::take(const std::string& doing, const std::filesystem::path& state) {
  fd_ = open_lock(file_);
  if (fd_ < 0) {
    const int code = errno;
    throw Error({doing, state.string(), "a place to write to", std::strerror(code)});
  }
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    works_ = false;
    if (errno != EWOULDBLOCK) return true;
    const std::string found = holder(fd_);
    ::close(fd_);
    throw Error({doing, state.string(), "no other process at work on it", found});
  }
  if (!is_still(fd_, file_)) {
    ::close(fd_);
    return false;
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd_, 0) == 0) static_cast<void>(!::pwrite(fd_, pid.data(), pid.size(), 0));
  return true;
}

FolderLock::FolderLock(const std::filesystem::path& folder, const std::string& doing) {
  std::error_code code;
  for (auto at = folder; !at.empty() && !std::filesystem::exists(at, code); at = at.parent_path())
    made_.insert(made_.begin(), at);
  make_folder(folder);
  lock_.emplace(folder / ".lock", doing, folder);
}

FolderLock::~FolderLock() {
  lock_.reset();
  std::error_code code;
  for (auto it = made_.rbegin(); it != made_.rend(); ++it) std::filesystem::remove(*it, code);
}

}  // namespace perennial
