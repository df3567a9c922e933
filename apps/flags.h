#pragma once

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands.h"
#include "perennial/tasks/classify/config.h"

namespace perennial::apps {

/// --quiet and --json.
void add_common(CLI::App& command, Common& common);

/// A flag for each of the named options of a configuration.
void add_flags(CLI::App& command, const std::vector<std::string>& names, Settings& settings);

/// A flag for each option of the table without a dot in its name, and --set for every option. What the user
/// gives is appended to `settings`.
void add_table_flags(CLI::App& command, const OptionTable& table, Settings& settings);

/// A flag for each main option of a configuration ("--data", "--stream", ...), the short names of some inner
/// ones
/// ("--width" is model.width), and --set key=value for every option. What the user gives is appended to
/// `settings`.
void add_config_flags(CLI::App& command, Settings& settings);

/// --data and what belongs to it alone.
void add_data_flags(CLI::App& command, Settings& settings);

/// --data, --stream and --noise of a run whose files were moved.
void add_place_flags(CLI::App& command, Settings& places);

/// --threads, --device, --dtype, and --set for options that may change when a run goes on.
void add_override_flags(CLI::App& command, Settings& settings);

/// The folder or file that data are read from; empty for those that are built in.
std::string place_of(const DataOptions& data);

/// std::invalid_argument when what is to be written at `output` is what is read, or in a folder of images
/// that is.
void require_outside_data(const std::string& option, const std::string& output, const DataOptions& data);

/// The data options among `settings`.
DataOptions data_options(const Settings& settings);

}  // namespace perennial::apps
