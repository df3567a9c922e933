#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <CLI/CLI.hpp>

#include "edge/perennial_edge.hpp"

namespace perennial::apps {

/// Runs a network on an image file.
void run_on(edge::Network& network, const std::filesystem::path& image);

/// Indices of the `top` largest values, the largest first.
std::vector<size_t> best_of(const std::vector<double>& values, int64_t top);

/// `edge learn`, `predict` and `forget`: classes learned from a few images on a network's features.
void add_edge_learn(CLI::App& edge);

}  // namespace perennial::apps
