#include "apps/flags.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "perennial/base/outputs.h"

namespace perennial::apps {
namespace {

// Flags for options whose full name has a dot.
const std::vector<std::pair<std::string, std::string>>& short_names() {
  static const std::vector<std::pair<std::string, std::string>> names{{"width", "model.width"},
                                                                      {"weights", "model.weights"},
                                                                      {"freeze", "model.freeze"},
                                                                      {"size", "data.size"},
                                                                      {"skip-bad", "data.skip_bad"},
                                                                      {"classes", "data.classes"},
                                                                      {"lr", "train.lr"},
                                                                      {"augment", "train.augment"},
                                                                      {"eval-every", "eval.every"},
                                                                      {"best-epoch", "eval.best_epoch"}};
  return names;
}

std::string flag_of(std::string name) {
  for (const auto& [flag, full] : short_names())
    if (full == name) return "--" + flag;
  std::replace(name.begin(), name.end(), '_', '-');
  return "--" + name;
}

std::string value_name(const Option& option) {
  if (!option.choices().empty()) {
    std::string all;
    for (const auto& c : option.choices()) all += (all.empty() ? "" : "|") + c;
    return all;
  }
  if (option.name() == "model.weights") return "FILE";
  if (option.name() == "data.classes") return "NAME,...";
  switch (option.kind()) {
    case Option::Kind::kInt: return "N";
    case Option::Kind::kNumber: return "X";
    default: return "VALUE";
  }
}

void add_flag(CLI::App& command, const std::string& flag, const Option& option, Settings& settings) {
  const std::string& name = option.name();
  const std::string initial = option.get();
  if (option.kind() == Option::Kind::kBool) {
    const bool on = initial == "true";
    command.add_flag_callback(
        on ? "--no-" + flag.substr(2) : flag,
        [&settings, name, on] { settings.push_back({name, on ? "false" : "true"}); },
        (on ? "without: " : "") + option.help());
    return;
  }
  command
      .add_option_function<std::string>(
          flag, [&settings, name](const std::string& value) { settings.push_back({name, value}); },
          option.help() + (initial.empty() ? "" : " [" + initial + "]"))
      ->type_name(value_name(option))
      ->take_last();
}

void add_set(CLI::App& command, Settings& settings, const std::string& help) {
  command
      .add_option_function<std::vector<std::string>>(
          "--set",
          [&settings](const std::vector<std::string>& pairs) {
            for (const auto& pair : pairs) {
              const auto at = pair.find('=');
              if (at == std::string::npos)
                throw std::invalid_argument("--set takes key=value, found '" + pair + "'");
              settings.push_back({pair.substr(0, at), pair.substr(at + 1)});
            }
          },
          help)
      ->type_name("KEY=VALUE")
      ->take_all();
}

}  // namespace

void add_common(CLI::App& command, Common& common) {
  command.add_flag("--quiet", common.quiet, "no progress, results only");
  command.add_flag("--json", common.json, "results as JSON on standard output");
}

namespace {

void add_plain_flags(CLI::App& command, const OptionTable& table, Settings& settings) {
  for (const Option& option : table.options())
    if (option.name().find('.') == std::string::npos && option.name() != "task")
      add_flag(command, flag_of(option.name()), option, settings);
}

}  // namespace

void add_table_flags(CLI::App& command, const OptionTable& table, Settings& settings) {
  add_plain_flags(command, table, settings);
  std::string dotted;
  for (const Option& option : table.options())
    if (option.name().find('.') != std::string::npos)
      dotted += fmt::format("{}{} [{}]", dotted.empty() ? "" : ", ", option.name(), option.get());
  add_set(command, settings, "any option as key=value; without a flag are " + dotted);
}

void add_config_flags(CLI::App& command, Settings& settings) {
  ClassifyConfig defaults;
  const OptionTable table = defaults.table();
  add_plain_flags(command, table, settings);
  for (const auto& [_, name] : short_names()) add_flag(command, flag_of(name), *table.find(name), settings);
  add_set(command, settings, "any option of the configuration, as key=value; see `perennial methods NAME`");
}

void add_data_flags(CLI::App& command, Settings& settings) {
  DataOptions defaults;
  OptionTable table;
  defaults.bind(table);
  add_flag(command, "--data", *table.find("data"), settings);
  for (const auto& [_, name] : short_names())
    if (const Option* option = table.find(name)) add_flag(command, flag_of(name), *option, settings);
  add_set(command, settings, "data.NAME=value: an option of the data; see docs/data.md");
}

void add_flags(CLI::App& command, const std::vector<std::string>& names, Settings& settings) {
  ClassifyConfig defaults;
  const OptionTable table = defaults.table();
  for (const auto& name : names) add_flag(command, flag_of(name), *table.find(name), settings);
}

void add_place_flags(CLI::App& command, Settings& places) {
  for (const auto& [flag, what] :
       {std::pair("data", "the data"), std::pair("stream", "the split files (splits:DIR)"),
        std::pair("noise", "the file of labels (file:F)")})
    command
        .add_option_function<std::string>(
            std::string("--") + flag,
            [&places, flag](const std::string& value) { places.push_back({flag, value}); },
            std::string("where ") + what + " that the run began with were moved to")
        ->type_name("PLACE")
        ->take_last();
}

void add_override_flags(CLI::App& command, Settings& settings) {
  add_flags(command, {"threads", "device", "dtype"}, settings);
  add_set(
      command, settings,
      fmt::format("{}", fmt::join(ClassifyConfig().table().changeable_names(), " | ")) + ", as key=value");
}

std::string place_of(const DataOptions& data) {
  const size_t colon = data.source.find(':');
  return colon == std::string::npos ? "" : data.source.substr(colon + 1);
}

void require_outside_data(const std::string& option, const std::string& output, const DataOptions& data) {
  const std::string place = place_of(data);
  if (data.source.starts_with("folder:"))
    require_outside(option, output, place);
  else
    require_no_input(option, output, {place});
}

DataOptions data_options(const Settings& settings) {
  DataOptions options;
  OptionTable table;
  options.bind(table);
  for (const Setting& setting : settings) setting.apply(table);
  return options;
}

}  // namespace perennial::apps
