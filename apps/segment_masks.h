#pragma once

#include <CLI/CLI.hpp>

namespace perennial::apps {

/// `segment masks`.
void add_portrait_masks(CLI::App& segment);

}  // namespace perennial::apps
