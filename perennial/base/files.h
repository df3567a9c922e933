#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace perennial {

/// Writes `bytes` beside `path` and renames it into place, so that a reader never sees half a file.
/// The data are on disk (fsync) before the rename. A new file has the mode that the umask leaves; one that
/// replaces another keeps its mode, and its owner where that is allowed. A link is followed; a device or pipe
/// (/dev/stdout) is written to, and never replaced. Throws Error, leaving the old file as it was.
void write_file_atomic(const std::filesystem::path& path, std::string_view bytes);
/// The same of bytes that do not lie in one piece.
void write_file_atomic(const std::filesystem::path& path, std::span<const std::string_view> pieces);

/// Writes a file that can be made again: neither atomic nor certain to be on disk. Throws Error.
void write_file(const std::filesystem::path& path, std::string_view bytes);

/// The whole file. Throws Error when it cannot be read or is larger than `limit` bytes.
std::string read_file(const std::filesystem::path& path, int64_t limit = int64_t{1} << 40);

/// A file mapped into memory, which every process that maps it shares; the file itself is never changed.
/// Throws Error. An empty file has an empty view.
class MappedFile {
 public:
  /// kOwnWrites: what is written to the view goes to pages of this mapping's own.
  enum class Access { kRead, kOwnWrites };
  explicit MappedFile(const std::filesystem::path& path, Access access = Access::kRead);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::string_view bytes() const { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  size_t size_ = 0;
};

/// Memory backed by an unlinked file in `folder`, for data larger than memory. Throws Error when disk is
/// short.
class ScratchMapping {
 public:
  ScratchMapping(const std::filesystem::path& folder, size_t size);
  ~ScratchMapping();
  ScratchMapping(const ScratchMapping&) = delete;
  ScratchMapping& operator=(const ScratchMapping&) = delete;
  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

/// Where a symbolic link leads in the end, whether or not there is a file yet; any other path as it is.
std::filesystem::path followed(std::filesystem::path path);

/// Creates a folder and its parents; throws Error.
void make_folder(const std::filesystem::path& path);

/// Where caches go: $PERENNIAL_CACHE, else $XDG_CACHE_HOME/perennial, else ~/.cache/perennial.
std::filesystem::path cache_folder();

/// Peak resident memory of this process so far, in bytes.
int64_t peak_resident_bytes();

/// Physical memory of this machine, in bytes.
int64_t physical_memory_bytes();

}  // namespace perennial
