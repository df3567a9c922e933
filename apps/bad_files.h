#pragma once

#include <exception>
#include <filesystem>
#include <vector>

#include "perennial/base/error.h"

namespace CLI {  // NOLINT(readability-identifier-naming)
class App;
}

namespace perennial::apps {

/// Adds --skip-bad for commands that give a result for each image.
void add_skip_bad(CLI::App& command, bool& skip_bad);

/// The images of a command that cannot be read among others that can: each is named on standard error, the
/// results of the others stand, and the command fails in the end unless they were to be skipped.
class BadFiles {
 public:
  explicit BadFiles(bool skip) : skip_(skip) {}

  void add(const std::exception& error);
  /// Throws Error when there were any, or with --skip-bad when there was nothing else.
  void finish(size_t good) const;

 private:
  bool skip_;
  size_t count_ = 0;
};

/// The images that paths name; what is left out of folders is told on standard error.
std::vector<std::filesystem::path> images_named(const std::vector<std::filesystem::path>& paths,
                                                bool quiet = false);

}  // namespace perennial::apps
