#pragma once

#include <filesystem>
#include <string>

#include <CLI/CLI.hpp>

#include "perennial/io/safetensors.h"

namespace perennial::apps {

/// `segment export`, `run` and `bench`: what the edge runtime does.
void add_segment_edge(CLI::App& segment);

/// What network weights are of: its tensors tell the variant, a run that trained it the rest.
struct MatteNet {
  std::string variant = "portrait";
  int64_t size = 224;  ///< side of the input
  bool gate = true;    ///< information blocking
};
MatteNet matte_net(const TensorFile& weights);

}  // namespace perennial::apps
