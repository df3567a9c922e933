#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace perennial::edge {

/// The whole file; nothing when there is none. Throws std::system_error with the path; a file of more than
/// `most` bytes gives its first most + 1.
std::optional<std::vector<std::byte>> read_if_there(const std::string& path, size_t most);

/// Writes beside `path`, waits until it is on the disk, and renames it into place: whatever happens, a reader
/// finds the old file or the new one. A new file has the mode that the umask leaves, one that replaces
/// another keeps its mode, and its owner where that is allowed. A link is followed. Throws std::system_error
/// with the path, leaving the old one.
void write_atomically(const std::string& path, std::span<const std::byte> bytes);

}  // namespace perennial::edge
