#include "perennial/run/report.h"

#include "perennial/report/json_value.h"
#include "perennial/report/report.h"
#include "perennial/tasks/recipe.h"

namespace perennial {

std::string report_html(const std::filesystem::path& run) {
  const auto json = report::read_json(run / "metrics.json");
  const auto task = json.find("task");
  for (const RecipeKind& kind : recipes())
    if (kind.report && task != json.end() && *task == kind.name) return run_html(run, kind.report(run));
  return run_html(run);
}

}  // namespace perennial
