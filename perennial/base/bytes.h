#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace perennial {

/// CRC-32C (Castagnoli), as TensorBoard's record files and our checkpoints use it. `seed` continues a sum.
uint32_t crc32c(std::string_view bytes, uint32_t seed = 0);

/// "50MB", "1.5GiB", "4096" -> bytes (decimal and binary units). Throws std::invalid_argument.
int64_t parse_bytes(std::string_view text);

/// 1572864 -> "1.5 MiB".
std::string format_bytes(int64_t bytes);

/// Base64 of arbitrary bytes, for pictures inside a report.
std::string base64(std::string_view bytes);

/// Reads an unsigned integer of type T at `p`; the caller has checked the bounds.
template <class T>
T load_le(const void* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

/// Appends the little-endian bytes of `value`.
template <class T>
void append_le(std::string& out, T value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  out.append(raw, sizeof value);
}

}  // namespace perennial
