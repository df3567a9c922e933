#pragma once

#include <CLI/CLI.hpp>

namespace perennial::apps {

/// Adds `perennial segment bench`.
void add_segment_bench(CLI::App& segment);

}  // namespace perennial::apps
