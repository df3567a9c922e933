#pragma once

#include <filesystem>
#include <memory>

#include "perennial/run/run.h"

namespace perennial::apps {

/// A run to predict with, as its newest checkpoint has it; nothing in its folder is touched. Says so when the
/// run has not finished.
std::unique_ptr<Run> open_to_use(const std::filesystem::path& folder, const Settings& overrides,
                                 Progress& progress);

}  // namespace perennial::apps
