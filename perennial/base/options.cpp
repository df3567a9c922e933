#include "perennial/base/options.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>

#include "perennial/base/text.h"
#include "perennial/base/utf8.h"

namespace perennial {

Option::Option(std::string name, Kind kind, std::string help, std::function<std::string()> get,
               std::function<void(std::string_view)> set)
    : name_(std::move(name)),
      help_(std::move(help)),
      kind_(kind),
      low_(std::numeric_limits<double>::lowest()),
      high_(std::numeric_limits<double>::max()),
      get_(std::move(get)),
      set_(std::move(set)) {}

Option& Option::choices(std::vector<std::string> values) {
  choices_ = std::move(values);
  return *this;
}

Option& Option::range(double low, double high) {
  low_ = low, high_ = high;
  return *this;
}

Option& Option::released(std::string value) {
  released_ = std::move(value);
  return *this;
}

Option& Option::changeable() {
  changeable_ = true;
  return *this;
}

void Option::set(std::string_view value) const {
  if (!is_utf8(value))
    throw std::invalid_argument(fmt::format("{}: expected text in UTF-8, found '{}'", name_, visible(value)));
  if (!choices_.empty() && std::find(choices_.begin(), choices_.end(), value) == choices_.end())
    throw std::invalid_argument(
        fmt::format("{}: unknown value '{}'{}", name_, value, suggestion(value, choices_)));
  if (kind_ == Kind::kInt || kind_ == Kind::kNumber) {
    const double number = parse_number(value, name_);
    if (number < low_ || number > high_)
      throw std::invalid_argument(
          fmt::format("{}: expected a value from {} to {}, found {}", name_, low_, high_, value));
  }
  set_(value);
}

Option& OptionTable::push(const std::string& name, Option::Kind kind, const std::string& help,
                          std::function<std::string()> get, std::function<void(std::string_view)> set) {
  return options_.emplace_back(prefix_ + name, kind, help, std::move(get), std::move(set));
}

Option& OptionTable::add(const std::string& name, bool& field, const std::string& help) {
  return push(
      name, Option::Kind::kBool, help, [&field] { return std::string(field ? "true" : "false"); },
      [&field, full = prefix_ + name](std::string_view v) { field = parse_bool(v, full); });
}

Option& OptionTable::add(const std::string& name, int64_t& field, const std::string& help) {
  return push(
      name, Option::Kind::kInt, help, [&field] { return std::to_string(field); },
      [&field, full = prefix_ + name](std::string_view v) { field = parse_int(v, full); });
}

Option& OptionTable::add(const std::string& name, double& field, const std::string& help) {
  return push(
      name, Option::Kind::kNumber, help, [&field] { return fmt::format("{}", field); },
      [&field, full = prefix_ + name](std::string_view v) { field = parse_number(v, full); });
}

Option& OptionTable::add(const std::string& name, std::string& field, const std::string& help) {
  return push(
      name, Option::Kind::kText, help, [&field] { return field; },
      [&field](std::string_view v) { field = std::string(v); });
}

const Option* OptionTable::find(std::string_view name) const {
  const auto it =
      std::find_if(options_.begin(), options_.end(), [&](const Option& o) { return o.name() == name; });
  return it == options_.end() ? nullptr : &*it;
}

void OptionTable::set(std::string_view name, std::string_view value) const {
  const Option* option = find(name);
  if (option == nullptr)
    throw std::invalid_argument(fmt::format("unknown option '{}'{}", name, suggestion(name, names())));
  option->set(value);
}

void OptionTable::set_as_released() const {
  for (const auto& option : options_)
    if (!option.released().empty()) option.set(option.released());
}

std::vector<std::string> OptionTable::names() const {
  std::vector<std::string> all;
  for (const auto& option : options_) all.push_back(option.name());
  return all;
}

std::vector<std::string> OptionTable::changeable_names() const {
  std::vector<std::string> all;
  for (const auto& option : options_)
    if (option.is_changeable()) all.push_back(option.name());
  return all;
}

}  // namespace perennial
