#pragma once

#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perennial/base/error.h"

namespace perennial::report {

using Json = nlohmann::ordered_json;

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kHuge = 1e18;

/// A JSON object from a file that is not trusted. Throws Error.
Json read_json(const std::filesystem::path& file);

/// A JSON value that knows its name, so that every complaint says where.
class Value {
 public:
  Value(const std::filesystem::path& file, const Json* json, std::string name)
      : file_(file), json_(json), name_(std::move(name)) {}

  bool given() const { return json_ && !json_->is_null(); }

  [[noreturn]] void fail(const std::string& expected) const {
    const std::string found = !json_               ? "no such key"
                              : json_->is_array()  ? fmt::format("an array of {}", json_->size())
                              : json_->is_number() ? json_->dump()
                                                   : std::string("a value of type ") + json_->type_name();
    throw Error(
        {"reading metrics", file_.string(), fmt::format("key '{}' to be {}", name_, expected), found});
  }

  Value at(const std::string& key) const {
    if (!given()) return {file_, nullptr, full(key)};
    if (!json_->is_object()) fail("an object");
    const auto found = json_->find(key);
    return {file_, found == json_->end() ? nullptr : &*found, full(key)};
  }

  std::vector<Value> items(size_t most = std::numeric_limits<size_t>::max()) const {
    if (!given()) return {};
    if (!json_->is_array()) fail("an array");
    if (json_->size() > most) fail(fmt::format("an array of at most {}", most));
    std::vector<Value> out;
    out.reserve(json_->size());
    for (size_t i = 0; i < json_->size(); ++i)
      out.emplace_back(file_, &(*json_)[i], fmt::format("{}[{}]", name_, i));
    return out;
  }

  std::vector<std::pair<std::string, Value>> members() const {
    if (!given()) return {};
    if (!json_->is_object()) fail("an object");
    std::vector<std::pair<std::string, Value>> out;
    for (const auto& [key, value] : json_->items()) out.emplace_back(key, Value(file_, &value, full(key)));
    return out;
  }

  std::string text() const {
    if (!given()) return "";
    if (!json_->is_string()) fail("a text");
    return json_->get<std::string>();
  }
  std::string required_text() const {
    if (!given()) fail("a text");
    return text();
  }

  double number(double low, double high) const {
    const std::string range = high >= kHuge ? fmt::format("a number from {:g}", low)
                                            : fmt::format("a number from {:g} to {:g}", low, high);
    if (!given() || !json_->is_number()) fail(range);
    const double value = json_->get<double>();
    if (!std::isfinite(value) || value < low || value > high) fail(range);
    return value;
  }
  std::optional<double> maybe(double low, double high) const {
    return given() ? std::optional(number(low, high)) : std::nullopt;
  }
  double or_unknown(double low, double high) const { return given() ? number(low, high) : kUnknown; }
  int64_t whole(int64_t low, int64_t high) const {
    const double value = number(static_cast<double>(low), static_cast<double>(high));
    if (json_->is_number_integer()) return json_->get<int64_t>();
    if (value != std::floor(value) || std::abs(value) > 0x1p53) fail("a whole number");
    return static_cast<int64_t>(value);
  }
  bool flag() const {
    if (!given() || !json_->is_boolean()) fail("true or false");
    return json_->get<bool>();
  }

 private:
  std::string full(const std::string& key) const { return name_.empty() ? key : name_ + "." + key; }

  std::filesystem::path file_;
  const Json* json_;
  std::string name_;
};

}  // namespace perennial::report
