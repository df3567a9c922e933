#pragma once

#include <filesystem>
#include <memory>

#include "perennial/nn/device.h"
#include "perennial/run/run.h"
#include "perennial/tasks/classify/classify_recipe.h"

namespace perennial::apps {

/// A run of `perennial learn` to predict with, on the thread that opened it.
struct OpenRun {
  std::unique_ptr<Run> run;
  const ClassifyRecipe* recipe;      ///< the run's
  std::unique_ptr<Working> working;  ///< in the run's context
};

/// As its newest checkpoint has it; nothing in its folder is touched. Says so when the run has not finished.
/// Throws Error for a run of another task.
OpenRun open_to_use(const std::filesystem::path& folder, const Settings& overrides, Progress& progress);

}  // namespace perennial::apps
