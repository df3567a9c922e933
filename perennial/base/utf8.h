#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace perennial {

/// The character at the front of `text` in UTF-8 (shortest form, no surrogates); of length 0 when there is
/// none.
struct Utf8 {
  uint32_t code = 0;
  size_t length = 0;
};
Utf8 utf8_front(std::string_view text);
bool is_utf8(std::string_view text);

/// `text` as an error names it: what is not UTF-8, and control characters, as their bytes ("caf\\xE9").
std::string visible(std::string_view text);

}  // namespace perennial
