#pragma once

#include <CLI/CLI.hpp>

namespace perennial::apps {

/// `segment export`, `run` and `bench`: what the edge runtime does.
void add_segment_edge(CLI::App& segment);

}  // namespace perennial::apps
