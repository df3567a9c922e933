#pragma once

#include <filesystem>
#include <memory>

#include "perennial/run/run.h"
#include "perennial/tasks/classify/classify_recipe.h"

namespace perennial::apps {

/// A run of `perennial learn` to predict with.
struct OpenRun {
  std::unique_ptr<Run> run;
  const ClassifyRecipe* recipe;  ///< the run's
};

/// As its newest checkpoint has it; nothing in its folder is touched. Says so when the run has not finished.
/// Throws Error for a run of another task.
OpenRun open_to_use(const std::filesystem::path& folder, const Settings& overrides, Progress& progress);

}  // namespace perennial::apps
