#pragma once

#include <string>
#include <utility>
#include <vector>

#include "perennial/base/settings.h"

namespace CLI {  // NOLINT(readability-identifier-naming)
class App;
}

namespace perennial::apps {

/// Exit statuses that scripts rely on.
enum Status { kDone = 0, kFailed = 1, kUsage = 2, kInterrupted = 130 };

/// Flags that several commands share.
struct Common {
  bool quiet = false;
  bool json = false;
};

/// A subcommand. Each is a constant of the file that has its work, by which the program knows it.
struct Command {
  enum class Work { kLight, kComputes };  ///< kComputes: with libtorch's kernels
  using Add = void (*)(CLI::App& app);    ///< adds it; its work runs as the subcommand's callback

  Command(int place, std::string name, Work work, Add add);

  int place;  ///< in the list that --help prints
  std::string name;
  Work work;
  Add add;
};

/// All of them, by place.
std::vector<Command> commands();

}  // namespace perennial::apps
