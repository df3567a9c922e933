#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace perennial {

/// One option of a configuration: a named view of a field, that prints, parses and checks it.
class Option {
 public:
  enum class Kind { kBool, kInt, kNumber, kText };

  Option(std::string name, Kind kind, std::string help, std::function<std::string()> get,
         std::function<void(std::string_view)> set);

  /// Only these values are accepted (text options).
  Option& choices(std::vector<std::string> values);
  /// Accepted range, both ends included (int and number options).
  Option& range(double low, double high);
  /// The value that the paper's released code uses where it differs from our default; see OptionTable.
  Option& released(std::string value);
  /// It may change when a run goes on: it says where and how things are computed, not what.
  Option& changeable();

  const std::string& name() const { return name_; }
  const std::string& help() const { return help_; }
  Kind kind() const { return kind_; }
  const std::vector<std::string>& choices() const { return choices_; }
  const std::string& released() const { return released_; }
  bool is_changeable() const { return changeable_; }
  std::string get() const { return get_(); }
  /// Parses, checks and stores; std::invalid_argument names the option, what it takes and what was given.
  void set(std::string_view value) const;

 private:
  friend class OptionTable;
  std::string name_, help_, released_;
  Kind kind_;
  std::vector<std::string> choices_;
  double low_, high_;
  bool changeable_ = false;
  std::function<std::string()> get_;
  std::function<void(std::string_view)> set_;
};

/// The options of a struct. Command line, TOML files and help pages all come from one such table.
/// It refers to the fields it was given, which must outlive it.
class OptionTable {
 public:
  Option& add(const std::string& name, bool& field, const std::string& help);
  Option& add(const std::string& name, int64_t& field, const std::string& help);
  Option& add(const std::string& name, double& field, const std::string& help);
  Option& add(const std::string& name, std::string& field, const std::string& help);

  /// Names added until the next call get this prefix ("rm." for the options of Rainbow Memory).
  void section(std::string prefix) { prefix_ = std::move(prefix); }

  const std::vector<Option>& options() const { return options_; }
  const Option* find(std::string_view name) const;
  /// Sets one option; an unknown name is a std::invalid_argument that suggests the nearest.
  void set(std::string_view name, std::string_view value) const;
  /// Sets every option to what the released code does (`as_released = true`).
  void set_as_released() const;
  std::vector<std::string> names() const;
  std::vector<std::string> changeable_names() const;

 private:
  Option& push(const std::string& name, Option::Kind kind, const std::string& help,
               std::function<std::string()> get, std::function<void(std::string_view)> set);
  std::vector<Option> options_;
  std::string prefix_;
};

}  // namespace perennial
