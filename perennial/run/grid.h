#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "perennial/base/settings.h"

namespace perennial {

/// What a figure of a row should be.
struct Expectation {
  std::string figure;       ///< a name of metrics.json: "a_last"
  double value, tolerance;  ///< in its units; of scores in percent
};

/// Runs that differ only in their seed.
struct GridRow {
  std::string name;  ///< "rm-sym40"; the name of its folder too
  Settings settings;
  std::vector<Expectation> expected;
};

/// Runs to be made and shown as one table.
struct Grid {
  std::string title;
  std::vector<int64_t> seeds{1};
  std::vector<GridRow> rows;
};

/// Reads a grid:
///
///     title = "..."
///     seeds = [1, 2, 3]
///     [base]                      # options of all runs, as in a configuration
///     data = "digits"
///     [axis.learner.rm]           # a value of an axis; rows are all combinations of one value of each axis
///     learner = "rm"
///     [axis.noise.clean]
///     [axis.noise.sym40]
///     noise = "sym:0.4"
///     [expect.rm-clean]           # figure = [value, tolerance]
///     a_last = [94.4, 1.0]
///
/// "${NAME}" in a value is that environment variable. Throws Error with file and line for what it cannot be.
Grid parse_grid(std::string_view text, const std::string& name);
Grid read_grid(const std::filesystem::path& file);

}  // namespace perennial
