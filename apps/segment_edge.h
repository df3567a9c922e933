#pragma once

#include <CLI/CLI.hpp>

namespace perennial::apps {

/// What the edge runtime does below `perennial segment`: export, run, bench.
void add_segment_edge(CLI::App& segment);

}  // namespace perennial::apps
