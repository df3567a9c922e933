#pragma once

#include <filesystem>

#include <CLI/CLI.hpp>

#include "perennial/io/safetensors.h"

namespace perennial::apps {

/// `segment export`, `run` and `bench`: what the edge runtime does.
void add_segment_edge(CLI::App& segment);

/// The weights of SINet that a user names: a file, or a run of `segment train`.
std::filesystem::path matte_weights(const std::filesystem::path& file_or_run);
/// False when a run trained them without information blocking.
bool has_gate(const TensorFile& weights);

}  // namespace perennial::apps
