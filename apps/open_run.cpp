#include "apps/open_run.h"

#include <fmt/format.h>

#include "perennial/base/error.h"

namespace perennial::apps {

OpenRun open_to_use(const std::filesystem::path& folder, const Settings& overrides, Progress& progress) {
  if (const std::string task = task_of(settings_of_run(folder)); task == "segment")
    throw Error({"opening the run", folder.string(), "a run of `perennial learn`",
                 "one of mattes (`perennial segment eval --weights RUN` measures it)"});
  OpenRun open{Run::open(folder, overrides, progress, Access::kUse), nullptr, nullptr};
  open.recipe = dynamic_cast<const ClassifyRecipe*>(&open.run->recipe());
  if (open.recipe == nullptr)
    throw Error({"opening the run", folder.string(), "a run of `perennial learn`", "one of another task"});
  open.working = std::make_unique<Working>(open.run->context());
  if (!open.run->finished())
    progress.note(
        fmt::format("{} has not finished: this is its model after {} samples (`perennial resume {}` goes on)",
                    folder.string(), open.run->samples_seen(), folder.string()));
  return open;
}

}  // namespace perennial::apps
