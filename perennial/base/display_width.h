#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace perennial {

/// What of UTF-8 text fits into so many columns of a terminal: wide characters take two, combining ones none;
/// control characters and bytes that are no UTF-8 become '?'.
std::string cut_to_width(std::string_view text, int64_t columns);

}  // namespace perennial
