#include "perennial/run/grid.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "perennial/base/environment.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/text.h"
#include "perennial/io/toml.h"

namespace perennial {
namespace {

constexpr int64_t kMostBytes = 1 << 20, kMostRows = 10000, kMostSettings = 1000000, kMostSeeds = 1000;

[[noreturn]] void refuse(const Setting& at, const std::string& expected, const std::string& found) {
  throw Error({"reading the grid", at.where, expected, found});
}

/// "${NAME}" gives way to the variable's value.
std::string expanded(const Setting& setting) {
  std::string out;
  std::string_view rest = setting.value;
  for (size_t at = rest.find("${"); at != std::string_view::npos; at = rest.find("${")) {
    const size_t end = rest.find('}', at);
    if (end == std::string_view::npos) refuse(setting, "a } behind ${", setting.value);
    const std::string name(rest.substr(at + 2, end - at - 2));
    const auto value = environment(name.c_str());
    if (!value)
      refuse(setting, fmt::format("the environment variable {} (export {}=...)", name, name), "none");
    out += std::string(rest.substr(0, at)) + *value;
    rest.remove_prefix(end + 1);
  }
  return out + std::string(rest);
}

bool is_name(const std::string& text) {
  return !text.empty() && text.front() != '.' &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+") ==
             std::string::npos;
}

struct Value {
  std::string name;
  Settings settings;
};
struct Axis {
  std::string name;
  std::vector<Value> values;
};

template <class Named>
Named& named(std::vector<Named>& all, const std::string& name, const Setting& at) {
  if (!is_name(name)) refuse(at, "a name of letters, digits, - and _", "'" + name + "'");
  const auto found = std::find_if(all.begin(), all.end(), [&](const Named& n) { return n.name == name; });
  if (found != all.end()) return *found;
  all.emplace_back().name = name;
  return all.back();
}

/// The first part of a dotted path, which is taken off it.
std::string head_of(std::string& path) {
  const auto dot = path.find('.');
  std::string head = path.substr(0, dot);
  path = dot == std::string::npos ? "" : path.substr(dot + 1);
  return head;
}

Expectation expectation(const std::string& figure, const Setting& at) {
  const std::vector<std::string> parts = split(at.value, ',');
  if (parts.size() != 2) refuse(at, figure + " = [value, tolerance]", "'" + at.value + "'");
  try {
    return {figure, parse_number(parts[0], figure), parse_number(parts[1], figure)};
  } catch (const std::invalid_argument& e) {
    refuse(at, figure + " = [value, tolerance]", e.what());
  }
}

std::vector<int64_t> seeds_of(const Setting& setting) {
  std::vector<int64_t> seeds;
  try {
    for (const std::string& part : split(setting.value, ',')) seeds.push_back(parse_int(part, "seeds"));
  } catch (const std::invalid_argument& e) {
    refuse(setting, "whole numbers", e.what());
  }
  if (seeds.empty() || std::ssize(seeds) > kMostSeeds ||
      std::set(seeds.begin(), seeds.end()).size() != seeds.size())
    refuse(setting, fmt::format("1 to {} different seeds", kMostSeeds), std::to_string(seeds.size()));
  return seeds;
}

std::vector<GridRow> combinations(const std::vector<Axis>& axes, const Settings& base,
                                  const std::string& file) {
  std::vector<GridRow> rows{{"", base, {}}};
  for (const Axis& axis : axes) {
    std::vector<GridRow> longer;
    for (const GridRow& row : rows)
      for (const Value& value : axis.values) {
        if (std::ssize(longer) >= kMostRows)
          throw Error({"reading the grid", file, fmt::format("at most {} rows", kMostRows), "more"});
        if (std::ssize(longer) * std::ssize(row.settings) > kMostSettings)
          throw Error({"reading the grid", file, fmt::format("at most {} options in all rows", kMostSettings),
                       "more"});
        longer.push_back(row);
        longer.back().name += (row.name.empty() ? "" : "-") + value.name;
        longer.back().settings.insert(longer.back().settings.end(), value.settings.begin(),
                                      value.settings.end());
      }
    rows = std::move(longer);
  }
  if (axes.empty()) rows.front().name = "run";
  return rows;
}

}  // namespace

Grid parse_grid(std::string_view text, const std::string& file) {
  Grid grid;
  Settings base;
  std::vector<Axis> axes;
  std::vector<std::pair<std::string, Setting>> expected;
  for (const Setting& setting : parse_toml_tree(text, file)) {
    std::string path = setting.name;
    const std::string what = head_of(path);
    const auto option = [&] { return Setting{option_of_path(path), expanded(setting), setting.where}; };
    if (what == "title" && path.empty()) {
      grid.title = setting.value;
    } else if (what == "seeds" && path.empty()) {
      grid.seeds = seeds_of(setting);
    } else if (what == "base" && !path.empty()) {
      base.push_back(option());
    } else if (what == "axis" && !path.empty()) {
      Axis& axis = named(axes, head_of(path), setting);
      Value& value = named(axis.values, head_of(path), setting);
      if (path.empty() && !setting.value.empty())
        refuse(setting, "options in a table of their own, [" + setting.name + "]", "a value");
      if (!path.empty()) value.settings.push_back(option());
    } else if (what == "expect" && !path.empty()) {
      std::string row = head_of(path);
      expected.emplace_back(row, Setting{path, setting.value, setting.where});
    } else {
      refuse(setting, "title, seeds, [base], [axis.NAME.VALUE] or [expect.ROW]", setting.name);
    }
  }
  grid.rows = combinations(axes, base, file);
  std::set<std::string> names;
  for (const GridRow& row : grid.rows)
    if (!names.insert(row.name).second)
      throw Error({"reading the grid", file, "rows of different names", "two named " + row.name});
  for (const auto& [name, setting] : expected) {
    const auto row =
        std::find_if(grid.rows.begin(), grid.rows.end(), [&](const GridRow& r) { return r.name == name; });
    if (row == grid.rows.end())
      refuse(setting, "a row of the grid" + suggestion(name, {names.begin(), names.end()}), name);
    row->expected.push_back(expectation(setting.name, setting));
  }
  return grid;
}

Grid read_grid(const std::filesystem::path& file) {
  return parse_grid(read_file(file, kMostBytes), file.string());
}

}  // namespace perennial
