#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "perennial/report/metrics.h"
#include "perennial/report/svg.h"

namespace perennial::report {

/// Mean and sample standard deviation of the values that are there; `spread` is NaN for fewer than two.
struct Statistic {
  int64_t count = 0;
  double mean, spread;
};
Statistic statistic(const std::vector<double>& values);

/// Runs that differ only in their seed.
struct RunGroup {
  std::vector<RunMetrics> runs;
  std::string name;   ///< the learner, and in what it differs from other groups of that learner
  std::string title;  ///< the same with the learner's full title

  const RunMetrics& first() const { return runs.front(); }
  int64_t unfinished() const;
  /// The finished runs, or all when none has finished: what every figure below is computed from.
  std::vector<const RunMetrics*> counted() const;
  /// "3", or "2 of 3" when some are not finished.
  std::string seeds() const;
  std::vector<double> values(std::optional<double> RunMetrics::* field) const;
  Statistic of(std::optional<double> RunMetrics::* field) const { return statistic(values(field)); }
  /// "500 samples" or "50.0 MiB": the limit where it is known, else what was used.
  std::string memory() const;

  /// Mean accuracy over the stream with its spread; `task` picks the accuracy on the classes of one task.
  Series curve(std::optional<size_t> task = std::nullopt) const;
  Table mean_matrix() const;
};

/// Reads and groups; throws std::invalid_argument when `folders` is empty. Groups keep the order of their
/// first run.
std::vector<RunGroup> group_runs(const std::vector<std::filesystem::path>& folders);

}  // namespace perennial::report
