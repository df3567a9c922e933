#include <fmt/format.h>

#include "apps/flags.h"

namespace perennial::apps {
namespace {

std::string words_of(const CLI::App& app) {
  std::string words;
  for (const auto* command : app.get_subcommands(nullptr)) words += command->get_name() + " ";
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames()) words += "--" + name + " ";
  return words;
}

void print_bash(const CLI::App& app) {
  fmt::print(
      "_perennial() {{\n  local cur=${{COMP_WORDS[COMP_CWORD]}} words\n  case ${{COMP_WORDS[1]}} in\n");
  for (const auto* command : app.get_subcommands(nullptr))
    fmt::print("    {}) words=\"{}\" ;;\n", command->get_name(), words_of(*command));
  fmt::print(
      "    *) words=\"{}\" ;;\n  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\") $(compgen -f -- \"$cur\"))\n}}\n"
      "complete -F _perennial perennial\n",
      words_of(app));
}

void print_fish(const CLI::App& app) {
  for (const auto* command : app.get_subcommands(nullptr)) {
    fmt::print("complete -c perennial -n __fish_use_subcommand -a {}\n", command->get_name());
    for (const auto* option : command->get_options())
      for (const auto& name : option->get_lnames())
        fmt::print("complete -c perennial -n '__fish_seen_subcommand_from {}' -l {}\n", command->get_name(),
                   name);
  }
}

void add_completion(CLI::App& app) {
  auto* command = app.add_subcommand(
      "completion",
      "Print shell completion.\n\n"
      "  perennial completion bash > ~/.local/share/bash-completion/completions/perennial\n");
  auto shell = std::make_shared<std::string>("bash");
  command->add_option("SHELL", *shell, "bash | zsh | fish")->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([&app, shell] {
    if (*shell == "fish") return print_fish(app);
    if (*shell == "zsh") fmt::print("autoload -U +X bashcompinit && bashcompinit\n");
    print_bash(app);
  });
}

const Command kCompletion(14, "completion", Command::Work::kLight, add_completion);

}  // namespace
}  // namespace perennial::apps
