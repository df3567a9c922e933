#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "perennial/base/options.h"
#include "perennial/base/settings.h"

namespace perennial {

/// Reads a TOML file into settings ("[rm] views = 12" is rm.views; "[data] source", "[stream] kind",
/// "[robust] kind" and
/// "[model] name" are the main keys of their tables). Throws Error with file and line.
Settings read_toml(const std::filesystem::path& file);
Settings parse_toml(std::string_view text, const std::string& name);

/// Any TOML, however deep its tables: names are dotted paths, in the order of the file. Throws Error with
/// file and line.
Settings parse_toml_tree(std::string_view text, const std::string& name);
/// The option that a dotted path of a configuration names: "data" for "data.source".
std::string option_of_path(const std::string& path);

/// A configuration as TOML, every option with its value and help.
std::string write_toml(const OptionTable& table);

}  // namespace perennial
