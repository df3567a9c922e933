#include "perennial/report/text_table.h"

#include <algorithm>

namespace perennial::report {
namespace {

size_t columns_of(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::string laid_out(const std::vector<std::vector<std::string>>& rows, size_t left_columns) {
  std::vector<size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], columns_of(row[c]));
  std::string out;
  for (const auto& row : rows) {
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string padding(widths[c] - columns_of(row[c]), ' ');
      out += c < left_columns ? row[c] + padding : padding + row[c];
      out += c + 1 == row.size() ? "\n" : "  ";
    }
  }
  return out;
}

}  // namespace perennial::report
