#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "edge/compile/graph.h"

namespace perennial::apps {

/// What a network is to be written as, from the flags of add_export_flags().
struct ExportFlags {
  std::string out, onnx, dtype = "float32", calibrate;
  bool skip_bad = false;
};

/// -o, --onnx, --dtype, --calibrate and --skip-bad.
void add_export_flags(CLI::App& command, ExportFlags& flags);

/// Throws std::invalid_argument for flags that do not go together. `ranges_known`: without photographs too,
/// int8 can compute in integers.
void check_export(const ExportFlags& flags, bool ranges_known,
                  const std::vector<std::filesystem::path>& inputs);

/// Writes what the flags ask for and says so; `photographs` gives those of a folder. `name` is the network's.
void export_network(const edge::Graph& graph, const std::string& name, const ExportFlags& flags,
                    const std::function<std::vector<std::filesystem::path>(const std::string&)>& photographs);

}  // namespace perennial::apps
