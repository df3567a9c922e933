#include <map>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

// What the parser takes for impossible, hostile input can bring about: an exception, not an abort.
#define TOML_ASSERT(expression) ((expression) ? void() : throw std::logic_error(#expression))
#include <toml++/toml.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/run/config.h"

namespace perennial {
namespace {

constexpr int64_t kMaxTomlBytes = 1 << 20;

// "[data] source = ..." and "data = ..." are the same option: a TOML key cannot be both a value and a table.
const std::map<std::string, std::string>& main_keys() {
  static const std::map<std::string, std::string> keys{
      {"data", "source"}, {"stream", "kind"}, {"model", "name"}};
  return keys;
}

std::string option_name(const std::string& section, const std::string& key) {
  if (section.empty()) return key;
  const auto main = main_keys().find(section);
  return main != main_keys().end() && main->second == key ? section : section + "." + key;
}

[[noreturn]] void refuse(const std::string& name, const toml::node& node, const std::string& expected,
                         const std::string& found) {
  throw Error(
      {"reading the configuration", fmt::format("{}:{}", name, node.source().begin.line), expected, found});
}

std::string value_text(const toml::node& node, const std::string& key, const std::string& name) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (const auto* whole = node.as_integer()) return std::to_string(whole->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* list = node.as_array()) {
    std::string joined;
    for (const auto& item : *list) {
      if (!item.is_value()) refuse(name, node, "a list of plain values for '" + key + "'", "a nested one");
      joined += (joined.empty() ? "" : ",") + value_text(item, key, name);
    }
    return joined;
  }
  refuse(name, node, "text, a number, true or false for '" + key + "'", "something else");
}

std::string quoted(const std::string& text) {
  std::ostringstream out;
  out << toml::value<std::string>(text);
  return out.str();
}

std::string toml_value(const Option& option) {
  return option.kind() == Option::Kind::kText ? quoted(option.get()) : option.get();
}

}  // namespace

Settings parse_toml(std::string_view text, const std::string& name) {
  if (static_cast<int64_t>(text.size()) > kMaxTomlBytes)
    throw Error({"reading the configuration", name, fmt::format("at most {} bytes", kMaxTomlBytes), "more"});
  for (const char c : text)
    if (static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t' && c != '\r')
      throw Error({"reading the configuration", name, "text", "a control character"});
  toml::table root;
  try {
    root = toml::parse(text, name);
  } catch (const toml::parse_error& e) {
    throw Error({"reading the configuration", fmt::format("{}:{}", name, e.source().begin.line), "TOML",
                 std::string(e.description())});
  } catch (const std::logic_error& e) {
    throw Error({"reading the configuration", name, "TOML", e.what()});
  }
  Settings settings;
  for (const auto& [key, node] : root) {
    const std::string section(key.str());
    if (const auto* table = node.as_table()) {
      for (const auto& [inner, value] : *table)
        settings.emplace_back(option_name(section, std::string(inner.str())),
                              value_text(value, std::string(inner.str()), name));
    } else {
      settings.emplace_back(section, value_text(node, section, name));
    }
  }
  return settings;
}

Settings read_toml(const std::filesystem::path& file) {
  return parse_toml(read_file(file, kMaxTomlBytes), file.string());
}

std::string write_toml(RunConfig& config) {
  const OptionTable table = config.table();
  std::string plain;
  std::vector<std::pair<std::string, std::string>> sections;
  for (const Option& option : table.options()) {
    std::string section, key = option.name();
    if (const auto dot = key.find('.'); dot != std::string::npos) {
      section = key.substr(0, dot);
      key = key.substr(dot + 1);
    } else if (const auto main = main_keys().find(key); main != main_keys().end()) {
      section = key;
      key = main->second;
    }
    const std::string line = fmt::format("{} = {}  # {}\n", key, toml_value(option), option.help());
    if (section.empty()) {
      plain += line;
      continue;
    }
    auto at =
        std::find_if(sections.begin(), sections.end(), [&](const auto& s) { return s.first == section; });
    if (at == sections.end()) at = sections.insert(sections.end(), {section, ""});
    at->second += line;
  }
  for (const auto& [section, lines] : sections) plain += fmt::format("\n[{}]\n{}", section, lines);
  return plain;
}

}  // namespace perennial
