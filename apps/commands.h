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

// Each adds one subcommand; its work runs as the subcommand's callback.
void add_learn(CLI::App& app);
void add_update(CLI::App& app);
void add_resume(CLI::App& app);
void add_predict(CLI::App& app);
void add_eval(CLI::App& app);
void add_report(CLI::App& app);
void add_compare(CLI::App& app);
void add_data(CLI::App& app);
void add_methods(CLI::App& app);
void add_segment(CLI::App& app);
void add_edge(CLI::App& app);
void add_completion(CLI::App& app);

}  // namespace perennial::apps
