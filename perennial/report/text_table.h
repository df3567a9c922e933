#pragma once

#include <string>
#include <vector>

namespace perennial::report {

/// Rows of cells (UTF-8, at least one row, all as long as the first) under each other, lines ended by
/// newlines; the first `left_columns` columns are aligned left, the others right.
std::string laid_out(const std::vector<std::vector<std::string>>& rows, size_t left_columns);

}  // namespace perennial::report
