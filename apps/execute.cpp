#include "apps/execute.h"

#include <fmt/format.h>

namespace perennial::apps {

void execute(Run& run, const Common& common, Progress& progress) {
  if (run.finished())
    progress.note(
        "this run has finished: nothing to resume (`perennial update RUN --data D` brings it new data)");
  run.execute();
  const auto metrics = run.metrics_json();
  if (common.json) {
    fmt::print("{}\n", metrics.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  fmt::print("{}report: {}\n", run.recipe().summary(metrics), (run.folder() / "report.html").string());
}

}  // namespace perennial::apps
