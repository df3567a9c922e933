#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include <CLI/CLI.hpp>

#include "edge/perennial_edge.hpp"

namespace perennial::apps {

/// Runs a network on each image and gives it to `use`; what cannot be read is named, and fails the command in
/// the end unless it is to be skipped.
void run_on_each(edge::Network& network, const std::vector<std::filesystem::path>& images, bool skip_bad,
                 const std::function<void(const std::filesystem::path&)>& use);

/// Indices of the `top` largest values, the largest first.
std::vector<size_t> best_of(const std::vector<double>& values, int64_t top);

/// `edge learn`, `predict` and `forget`: classes learned from a few images on a network's features.
void add_edge_learn(CLI::App& edge);

}  // namespace perennial::apps
