#pragma once

#include <filesystem>

namespace perennial {

/// A file that is filled beside its place, by this program or another one, and renamed in when it is whole;
/// unless it lands it is removed. Mode, owner and links as `write_file_atomic` has
/// them. Throws Error.
class FileBeside {
 public:
  explicit FileBeside(const std::filesystem::path& path);
  ~FileBeside();
  FileBeside(const FileBeside&) = delete;
  FileBeside& operator=(const FileBeside&) = delete;
  /// Where it is filled.
  const std::filesystem::path& path() const { return beside_; }
  int descriptor() const { return fd_; }
  void land();

 private:
  std::filesystem::path path_, beside_;
  int fd_ = -1;
  bool landed_ = false;
};

}  // namespace perennial
