#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace perennial {

/// What a figure of a row of a bench should be; scores in percent.
struct BenchFigure {
  std::string name;  ///< of metrics.json: "a_last"
  double value, tolerance;
};

struct BenchRow {
  std::string name;
  std::vector<std::filesystem::path> runs;  ///< finished ones, which differ in their seed
  int64_t missing = 0;                      ///< runs that have not finished
  std::vector<BenchFigure> expected;
};

/// std::invalid_argument, which says where the name comes from, for one that is neither a figure that every
/// bench knows nor "scores.NAME", a score after the last task.
void require_figure(const std::string& where, const std::string& name);

/// What a bench found, as a table for a terminal and as JSON: per row the mean and standard deviation of
/// every figure, and whether it is what it should be. Throws Error for a run whose metrics cannot be read.
struct BenchTable {
  std::string text, json;
  bool passed = true;  ///< every expectation of the rows is met, and no run is missing
};
BenchTable bench_table(const std::string& title, const std::vector<BenchRow>& rows);

}  // namespace perennial
