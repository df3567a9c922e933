#include "perennial/base/display_width.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "perennial/base/utf8.h"

namespace perennial {
namespace {

bool within(uint32_t c, std::initializer_list<std::pair<uint32_t, uint32_t>> ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](const auto& range) { return c >= range.first && c <= range.second; });
}

// Columns of a terminal (Unicode's EastAsianWidth, wide and full, in blocks).
int64_t columns_of(uint32_t c) {
  if (within(c, {{0x300, 0x36F},
                 {0x483, 0x489},
                 {0x591, 0x5BD},
                 {0x610, 0x61A},
                 {0x64B, 0x65F},
                 {0x200B, 0x200F},
                 {0x202A, 0x202E},
                 {0x2060, 0x2064},
                 {0x20D0, 0x20F0},
                 {0x3099, 0x309A},
                 {0xFE00, 0xFE0F},
                 {0xFE20, 0xFE2F},
                 {0xFEFF, 0xFEFF},
                 {0xE0100, 0xE01EF}}))
    return 0;
  return within(c, {{0x1100, 0x115F},
                    {0x2E80, 0x303E},
                    {0x3041, 0xA4CF},
                    {0xA960, 0xA97F},
                    {0xAC00, 0xD7A3},
                    {0xF900, 0xFAFF},
                    {0xFE30, 0xFE6F},
                    {0xFF01, 0xFF60},
                    {0xFFE0, 0xFFE6},
                    {0x1F300, 0x1F64F},
                    {0x1F680, 0x1F6FF},
                    {0x1F900, 0x1FAFF},
                    {0x20000, 0x3FFFD}})
             ? 2
             : 1;
}

}  // namespace

std::string cut_to_width(std::string_view text, int64_t columns) {
  std::string out;
  while (!text.empty()) {
    const auto [value, bytes] = utf8_front(text);
    const bool shown = bytes > 0 && value >= 0x20 && (value < 0x7F || value > 0x9F);
    columns -= shown ? columns_of(value) : 1;
    if (columns < 0) break;
    out += shown ? text.substr(0, bytes) : std::string_view("?");
    text.remove_prefix(std::max<size_t>(bytes, 1));
  }
  return out;
}

}  // namespace perennial
