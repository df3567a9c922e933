#include "perennial/base/utf8.h"

#include <algorithm>

namespace perennial {

Utf8 utf8_front(std::string_view s) {
  if (s.empty()) return {};
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || s.size() < length) return {};
  uint32_t code = lead & (0x7FU >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3FU);
  }
  const bool shortest = length == 2 || (length == 3 ? code >= 0x800 : code >= 0x10000 && code <= 0x10FFFF);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return shortest && !surrogate ? Utf8{code, length} : Utf8{};
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = utf8_front(text).length;
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string visible(std::string_view text) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string out;
  while (!text.empty()) {
    const auto [code, length] = utf8_front(text);
    if (length == 0 || code < 0x20 || (code >= 0x7F && code < 0xA0)) {
      for (const char c : text.substr(0, std::max<size_t>(length, 1))) {
        const auto b = static_cast<unsigned char>(c);
        out += {'\\', 'x', kDigits[b >> 4], kDigits[b & 15]};
      }
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

}  // namespace perennial
