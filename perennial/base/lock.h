#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace perennial {

/// The right to change a state, which one process at a time has: an exclusive flock on a file beside the
/// state. It ends with the object, and with the process however that ends; the file goes with it, and one
/// left behind by a killed process locks nobody out.
class FileLock {
 public:
  /// Takes the lock on `file`, which is made when missing; its folder must be there. Throws Error when the
  /// file cannot be made or another holds the lock: `doing` and `state` are what the error says that one was
  /// at.
  FileLock(std::filesystem::path file, const std::string& doing, const std::filesystem::path& state);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  /// False where the file system knows no locks: then nothing keeps another process away.
  bool works() const { return works_; }

 private:
  bool take(const std::string& doing, const std::filesystem::path& state);

  std::filesystem::path file_;
  int fd_ = -1;
  bool works_ = true;
};

/// The same for what is in a folder, by a file ".lock" in it. A folder that is missing is made, with those
/// above it; what is still empty at the end goes again.
class FolderLock {
 public:
  FolderLock(const std::filesystem::path& folder, const std::string& doing);
  ~FolderLock();
  bool works() const { return lock_->works(); }

 private:
  std::vector<std::filesystem::path> made_;  // the outermost first
  std::optional<FileLock> lock_;
};

}  // namespace perennial
