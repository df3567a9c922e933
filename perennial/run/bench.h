#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "perennial/base/progress.h"
#include "perennial/run/grid.h"

namespace perennial {

struct BenchOptions {
  std::filesystem::path out;         ///< runs lie in out/ROW/SEED
  std::vector<std::string> program;  ///< that `learn` and `resume` are commands of
  int64_t jobs = 1;                  ///< runs at a time
  std::vector<std::string> only;     ///< names of rows; none: all
};

/// A run of a grid, once it was tried.
struct BenchRun {
  std::string row;
  int64_t seed;
  std::filesystem::path folder;
  std::string error;  ///< why it has not finished; empty: it has
};

/// Makes the runs of a grid that have not finished yet, each in a process of its own, at one thread unless
/// the grid says otherwise. Throws before anything is run: std::invalid_argument for a row that is not there
/// or options that cannot be, Error for a run in the folder that was made with other options. A run that
/// fails is told and the others go on. Interrupted when asked to stop: runs then keep what they have, and the
/// same call goes on.
std::vector<BenchRun> run_grid(const Grid& grid, const BenchOptions& options, Progress& progress);

}  // namespace perennial
