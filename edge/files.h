#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace perennial::edge {

/// Bytes, and what they live in.
struct HeldBytes {
  std::shared_ptr<const void> owner;
  std::span<const std::byte> bytes;
};

/// These read files only, no pipes and no devices, and never wait for somebody to write. They throw
/// std::system_error with the path.
///
/// A file in memory of one's own, aligned for vectors; one of more than `most` bytes gives its first most
/// + 1.
HeldBytes read_file(const std::string& path, size_t most);
/// A file where it lies: who writes into it, or cuts it off, does so under the reader's eyes.
HeldBytes map_file(const std::string& path);
/// As read_file(); nothing when there is no such file.
std::optional<HeldBytes> read_if_there(const std::string& path, size_t most);

/// Writes beside `path`, waits until it is on the disk, and renames it into place: whatever happens, a reader
/// finds the old file or the new one. A new file has the mode that the umask leaves, one that replaces
/// another keeps its mode, and its owner where that is allowed. A link is followed. Throws std::system_error
/// with the path, leaving the old one.
void write_atomically(const std::string& path, std::span<const std::byte> bytes);

}  // namespace perennial::edge
