#include "apps/open_run.h"

#include <fmt/format.h>

namespace perennial::apps {

std::unique_ptr<Run> open_to_use(const std::filesystem::path& folder, const Settings& overrides,
                                 Progress& progress) {
  auto run = Run::open(folder, overrides, progress, Access::kUse);
  if (!run->finished())
    progress.note(
        fmt::format("{} has not finished: this is its model after {} samples (`perennial resume {}` goes on)",
                    folder.string(), run->samples_seen(), folder.string()));
  return run;
}

}  // namespace perennial::apps
