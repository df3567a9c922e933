#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace perennial {

/// True for bytes that start as a gzip file does.
bool is_gzip(std::string_view bytes);

/// Unpacks a gzip file (one member or several). Throws Error for damage, truncation, or more than `limit`
/// bytes; memory grows with what is really unpacked. `name` is what errors call the source.
std::string gunzip(std::string_view bytes, const std::string& name, int64_t limit);

}  // namespace perennial
