#include "perennial/base/files.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>

#include "perennial/base/error.h"
#include "perennial/base/file_beside.h"

namespace perennial {
namespace {

[[noreturn]] void fail(const std::string& doing, const std::filesystem::path& path) {
  const int code = errno;
  throw Error({doing, path.string(), "", std::strerror(code)});
}

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

// Does not wait for somebody who opens the other end of a pipe; of a pipe without one nothing is read.
int open_to_read(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail("reading", path);
  ::fcntl(fd, F_SETFL, 0);
  return fd;
}

void write_all(int fd, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("writing", path);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

void write_pieces(const std::filesystem::path& path, std::span<const std::string_view> pieces) {
  const Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
  if (file.fd < 0) fail("writing", path);
  for (const std::string_view piece : pieces) write_all(file.fd, piece, path);
}

// The name of the file that becomes `path`: as long as a name may be at most.
std::filesystem::path name_beside(const std::filesystem::path& path) {
  const std::string name = path.filename().string(), ending = ".tmp" + std::to_string(::getpid());
  return path.parent_path() / (name.substr(0, NAME_MAX - ending.size()) + ending);
}

// A file that replaces another keeps its mode, and its owner where that is allowed.
void take_after(int fd, const std::filesystem::path& replaced) {
  struct stat old{};
  if (::stat(replaced.c_str(), &old) != 0) return;
  if (::fchown(fd, old.st_uid, old.st_gid) != 0) static_cast<void>(!::fchown(fd, uid_t(-1), old.st_gid));
  ::fchmod(fd, old.st_mode & 0777);
}

}  // namespace

std::filesystem::path followed(std::filesystem::path path) {
  constexpr int kMostLinks = 40;
  std::error_code failed;
  for (int i = 0; i < kMostLinks && std::filesystem::is_symlink(path, failed); ++i)
    path = path.parent_path() / std::filesystem::read_symlink(path, failed);
  return path;
}

FileBeside::FileBeside(const std::filesystem::path& named)
    : path_(followed(named)), beside_(name_beside(path_)) {
  ::unlink(beside_.c_str());  // of an earlier process with this number
  fd_ = ::open(beside_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd_ < 0) fail("writing", path_);
  take_after(fd_, path_);
}

FileBeside::~FileBeside() {
  ::close(fd_);
  if (!landed_) ::unlink(beside_.c_str());
}

void FileBeside::land() {
  if (::fsync(fd_) != 0) fail("writing", path_);
  if (::rename(beside_.c_str(), path_.c_str()) != 0) fail("renaming into place", path_);
  landed_ = true;
}

void write_file_atomic(const std::filesystem::path& named, std::span<const std::string_view> pieces) {
  std::error_code failed;
  if (std::filesystem::is_other(named, failed)) return write_pieces(named, pieces);
  FileBeside file(named);
  for (const std::string_view piece : pieces) write_all(file.descriptor(), piece, named);
  file.land();
}

void write_file_atomic(const std::filesystem::path& path, std::string_view bytes) {
  write_file_atomic(path, std::span(&bytes, 1));
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  write_pieces(path, std::span(&bytes, 1));
}

std::string read_file(const std::filesystem::path& path, int64_t limit) {
  const Descriptor file{open_to_read(path)};
  struct stat status{};
  if (::fstat(file.fd, &status) != 0) fail("reading", path);
  if (S_ISDIR(status.st_mode)) throw Error({"reading", path.string(), "a file", "a folder"});
  std::string out;
  out.reserve(static_cast<size_t>(std::min<int64_t>(status.st_size, limit)));
  char chunk[1 << 16];
  for (;;) {
    const ssize_t n = ::read(file.fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("reading", path);
    if (n == 0) return out;
    out.append(chunk, static_cast<size_t>(n));
    if (static_cast<int64_t>(out.size()) > limit)
      throw Error({"reading", path.string(), "at most " + std::to_string(limit) + " bytes", "more"});
  }
}

MappedFile::MappedFile(const std::filesystem::path& path, Access access) {
  const Descriptor file{open_to_read(path)};
  struct stat status{};
  if (::fstat(file.fd, &status) != 0) fail("reading", path);
  if (!S_ISREG(status.st_mode)) throw Error({"reading", path.string(), "a regular file", "something else"});
  size_ = static_cast<size_t>(status.st_size);
  if (size_ == 0) return;
  const int rights = access == Access::kRead ? PROT_READ : PROT_READ | PROT_WRITE;
  void* p = ::mmap(nullptr, size_, rights, MAP_PRIVATE, file.fd, 0);
  if (p == MAP_FAILED) fail("mapping", path);
  data_ = static_cast<const char*>(p);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

ScratchMapping::ScratchMapping(const std::filesystem::path& folder, size_t size) : size_(size) {
  make_folder(folder);
  std::string name = (folder / "scratch.XXXXXX").string();
  const Descriptor file{::mkstemp(name.data())};
  if (file.fd < 0) fail("making a scratch file", folder);
  ::unlink(name.c_str());
  if (const int code = ::posix_fallocate(file.fd, 0, static_cast<off_t>(size)); code != 0) {
    errno = code;
    fail("reserving " + std::to_string(size) + " bytes of scratch space", folder);
  }
  data_ = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd, 0);
  if (data_ == MAP_FAILED) fail("mapping scratch space", folder);
}

ScratchMapping::~ScratchMapping() { ::munmap(data_, size_); }

void make_folder(const std::filesystem::path& path) {
  std::error_code code;
  std::filesystem::create_directories(path, code);
  if (code) throw Error({"making a folder", path.string(), "", code.message()});
}

int64_t peak_resident_bytes() {
  struct rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

int64_t physical_memory_bytes() { return int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGE_SIZE); }

}  // namespace perennial
