#include <algorithm>

#include <fmt/format.h>

#include "apps/flags.h"

namespace perennial::apps {
namespace {

void list(bool json) {
  nlohmann::json all = nlohmann::json::array();
  for (const Method& m : methods()) {
    if (json)
      all.push_back({{"name", m.name}, {"title", m.title}, {"paper", m.paper}, {"summary", m.summary}});
    else
      fmt::print("{:12} {:30} {:26} {}\n", m.name, m.title, m.paper, m.summary);
  }
  if (json) fmt::print("{}\n", all.dump());
}

void show_json(const Method& method, const OptionTable& table) {
  nlohmann::json options = nlohmann::json::array();
  for (const Option& option : table.options()) {
    options.push_back({{"name", option.name()}, {"default", option.get()}, {"help", option.help()}});
    if (!option.choices().empty()) options.back()["choices"] = option.choices();
    if (!option.released().empty()) options.back()["as_released"] = option.released();
  }
  const nlohmann::json all{{"name", method.name},
                           {"title", method.title},
                           {"paper", method.paper},
                           {"summary", method.summary},
                           {"options", options}};
  fmt::print("{}\n", all.dump());
}

void show(const std::string& name, bool json) {
  const Method& method = find_method(name);
  const auto config = make_config({{"learner", name}});
  if (json) return show_json(method, config->table());
  fmt::print("{} ({})\n{}\n\n{:28} {:24} {:22} {}\n", method.title, method.paper, method.summary, "option",
             "default", "as_released", "what it is");
  const OptionTable table = config->table();
  for (const Option& option : table.options()) {
    const std::string initial = option.get();
    std::string help = option.help();
    if (!option.choices().empty()) help += fmt::format(": {}", fmt::join(option.choices(), " | "));
    fmt::print("{:28} {:24} {:22} {}\n", option.name(), initial.empty() ? "-" : initial,
               option.released().empty() ? "" : option.released(), help);
  }
}

void add_methods(CLI::App& app) {
  auto* command =
      app.add_subcommand("methods", "What can be learned with; with NAME its options and defaults.");
  struct Arguments {
    std::string name;
    bool json = false;
  };
  auto a = std::make_shared<Arguments>();
  command->add_option("NAME", a->name, "a method");
  command->add_flag("--json", a->json, "as JSON");
  command->callback([a] { a->name.empty() ? list(a->json) : show(a->name, a->json); });
}

const Command kMethods(11, "methods", Command::Work::kLight, add_methods);

}  // namespace
}  // namespace perennial::apps
