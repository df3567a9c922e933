#include "perennial/base/bytes.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

namespace perennial {
namespace {

constexpr std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1) ? 0x82F63B78U ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  return table;
}

// Slicing by four: table k advances a byte over k further zero bytes.
constexpr std::array<std::array<uint32_t, 256>, 4> make_slices() {
  std::array<std::array<uint32_t, 256>, 4> t{};
  t[0] = make_table();
  for (int k = 1; k < 4; ++k)
    for (int i = 0; i < 256; ++i) t[k][i] = (t[k - 1][i] >> 8) ^ t[0][t[k - 1][i] & 0xFF];
  return t;
}

constexpr auto kSlices = make_slices();

}  // namespace

uint32_t crc32c(std::string_view bytes, uint32_t seed) {
  uint32_t crc = ~seed;
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  size_t left = bytes.size();
  for (; left >= 4; left -= 4, p += 4) {
    crc ^= load_le<uint32_t>(p);
    crc = kSlices[3][crc & 0xFF] ^ kSlices[2][(crc >> 8) & 0xFF] ^ kSlices[1][(crc >> 16) & 0xFF] ^
          kSlices[0][crc >> 24];
  }
  for (; left > 0; --left, ++p) crc = kSlices[0][(crc ^ *p) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

int64_t parse_bytes(std::string_view text) {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string unit;
  for (const char* c = end; c != text.data() + text.size(); ++c)
    if (*c != ' ') unit += static_cast<char>(std::toupper(static_cast<unsigned char>(*c)));
  static constexpr std::string_view kUnits[] = {"", "K", "M", "G", "T"};
  for (int power = 0; power < 5 && code == std::errc{}; ++power) {
    const std::string u(kUnits[power]);
    double factor = 0;
    if (unit == u || unit == u + "B") factor = std::pow(1000.0, power);
    if (power > 0 && unit == u + "IB") factor = std::pow(1024.0, power);
    if (factor > 0 && value >= 0 && value * factor < 9e18) return static_cast<int64_t>(value * factor);
  }
  throw std::invalid_argument("expected a size such as 50MB, found '" + std::string(text) + "'");
}

std::string format_bytes(int64_t bytes) {
  static constexpr std::string_view kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  while (value >= 1024 && unit < 4) value /= 1024, ++unit;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t word = 0;
    for (size_t k = 0; k < 3; ++k)
      word = (word << 8) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k) out += i + k > bytes.size() ? '=' : kDigits[(word >> (18 - 6 * k)) & 63];
  }
  return out;
}

}  // namespace perennial
