#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace perennial::apps {

/// Adds `bench`, which times a model file, to a command of this name.
void add_edge_bench(CLI::App& command, const std::string& name);

}  // namespace perennial::apps
