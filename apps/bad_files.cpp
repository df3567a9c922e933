#include "apps/bad_files.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "apps/streams.h"
#include "perennial/io/image_files.h"

namespace perennial::apps {

void add_skip_bad(CLI::App& command, bool& skip_bad) {
  command.add_flag("--skip-bad", skip_bad, "images that cannot be read are named and are no failure");
}

void BadFiles::add(const std::exception& error) {
  ++count_;
  tell(fmt::format("perennial: {}\n", error.what()));
}

void BadFiles::finish(size_t good) const {
  if (count_ == 0 || (skip_ && good > 0)) return;
  throw Error(
      {"reading images", "", fmt::format("all {} to be sound", good + count_),
       fmt::format("{} that cannot be read{}", count_, skip_ ? "" : " (--skip-bad makes that no failure)")});
}

std::vector<std::filesystem::path> images_named(const std::vector<std::filesystem::path>& paths, bool quiet) {
  FoundImages found = find_images(paths);
  if (const std::string note = found.note(); !note.empty() && !quiet) tell(note + "\n");
  return std::move(found.files);
}

}  // namespace perennial::apps
