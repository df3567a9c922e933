#pragma once

#include <filesystem>

#include <CLI/CLI.hpp>

#include "edge/perennial_edge.hpp"

namespace perennial::apps {

/// Runs a network on an image file.
void run_on(edge::Network& network, const std::filesystem::path& image);

/// `edge learn`, `predict` and `forget`: classes learned from a few images on a network's features.
void add_edge_learn(CLI::App& edge);

}  // namespace perennial::apps
