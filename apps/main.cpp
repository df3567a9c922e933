#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "apps/commands.h"
#include "apps/streams.h"
#include "apps/terminal.h"
#include "perennial/base/environment.h"
#include "perennial/base/error.h"
#include "perennial/base/progress.h"
#include "perennial/base/text.h"
#include "perennial/base/version.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace {

using perennial::apps::Status;

int complain(Status status, const std::string& text) {
  perennial::apps::tell(fmt::format("perennial: {}\n", text));
  return status;
}

// The innermost subcommand that was named, for help and suggestions.
const CLI::App* innermost(const CLI::App* app) {
  const auto chosen = app->get_subcommands();
  return chosen.empty() ? app : innermost(chosen.back());
}

std::vector<std::string> known_words(const CLI::App& app, bool flags) {
  std::vector<std::string> words;
  if (flags)
    for (const auto* option : app.get_options())
      for (const auto& name : option->get_lnames()) words.push_back("--" + name);
  else
    for (const auto* command : app.get_subcommands(nullptr)) words.push_back(command->get_name());
  return words;
}

int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* where = innermost(&app);
  std::string text = error.what();
  const auto extras = app.remaining(true);
  for (const auto& word : extras) {
    const std::string name = word.substr(0, word.find('='));
    const bool flag = name.starts_with('-');
    text = fmt::format("unknown {} '{}'", flag ? "flag" : "argument", name);
    const std::string near = perennial::nearest(name, known_words(*where, flag));
    if (!near.empty()) text += fmt::format(" (did you mean '{}'?)", near);
    if (flag || !near.empty()) break;
  }
  std::string command = "perennial";
  for (const CLI::App* at = &app; at != where;) {
    at = at->get_subcommands().back();
    command += " " + at->get_name();
  }
  return complain(Status::kUsage, fmt::format("{}; see `{} --help`", text, command));
}

// OpenMP's threads spin while they wait, which on a machine that has other work can make a run a hundred
// times slower. libgomp reads how they shall wait when it is loaded, before main(): so the program starts
// once more.
void start_again_with_sleeping_threads(int argc, char** argv) {
  const auto all = perennial::apps::commands();
  const bool computes =
      argc >= 2 && std::any_of(all.begin(), all.end(), [&](const auto& command) {
        return command.name == argv[1] && command.work == perennial::apps::Command::Work::kComputes;
      });
  if (!computes || perennial::environment("OMP_WAIT_POLICY")) return;
  setenv("OMP_WAIT_POLICY", "passive", 1);
  execv("/proc/self/exe", argv);  // where that cannot be, all goes on as it was
}

// Layers take and free maps of many megabytes in every batch. By default glibc hands them back to the kernel,
// which clears them again for the next: up to a sixth of a run's time.
void keep_freed_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}

void add_commands(CLI::App& app) {
  using namespace perennial::apps;
  app.name("perennial");
  app.set_version_flag("--version", [] {
    return fmt::format("perennial {} {} (libtorch {})", perennial::version(), perennial::version_commit(),
                       perennial::libtorch_version());
  });
  app.require_subcommand(1);
  for (const Command& command : commands()) command.add(app);
}

// `print_error` is the errno of a print to standard output that failed.
int run(CLI::App& app, int argc, char** argv, int& print_error) {
  using namespace perennial::apps;
  try {
    app.parse(argc, argv);
    return kDone;
  } catch (const CLI::Success& e) {
    std::ostringstream text;
    const int status = app.exit(e, text, text);
    std::fputs(text.str().c_str(), stdout);
    return status;
  } catch (const CLI::ParseError& e) {
    return usage_error(app, e);
  } catch (const std::invalid_argument& e) {
    return complain(kUsage, e.what());
  } catch (const perennial::Interrupted& e) {
    return complain(kInterrupted, e.how_to_go_on.empty() ? "interrupted" : "interrupted; " + e.how_to_go_on);
  } catch (const std::exception& e) {
    const auto* system = dynamic_cast<const std::system_error*>(&e);
    if (system != nullptr && std::ferror(stdout) != 0) {
      print_error = system->code().value();
      return kDone;  // but for the answer, of which `delivered` speaks
    }
    const std::string text = e.what();
    return complain(kFailed, text.substr(0, text.find('\n')));
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace perennial::apps;
  open_closed_streams();
  start_again_with_sleeping_threads(argc, argv);
  keep_freed_memory();
  catch_signals();
  CLI::App app{
      "Perennial: models that keep learning after they ship.\n\n"
      "  perennial learn --data digits --stream blurry10 --learner rm --out run\n"
      "  perennial predict run photo.jpg\n"
      "  perennial update run --data folder:new-photos\n"
      "  perennial compare run other-run --html compare.html\n"};
  add_commands(app);
  if (argc < 2) {
    tell(app.help());
    return kUsage;
  }
  int print_error = 0;
  const int status = run(app, argc, argv, print_error);
  return delivered(status, print_error);
}
