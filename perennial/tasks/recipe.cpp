#include "perennial/tasks/recipe.h"

#include <utility>

#include <fmt/format.h>

#include "perennial/base/context.h"
#include "perennial/tasks/classify/classify_recipe.h"
#include "perennial/tasks/segment/segment_recipe.h"

namespace perennial {
namespace {

Registry<RecipeKind>& registry() {
  return Context::current().registry<RecipeKind>(
      [] { return Registry<RecipeKind>("task", "task", {classify_recipe(), segment_recipe()}); });
}

}  // namespace

void RunOptions::bind(OptionTable& table) {
  table.add("seed", seed, "of everything random").range(0, 9e15);
  table.add("threads", threads, "processor threads; 0: all").range(0, 1024).changeable();
  table
      .add("checkpoint.seconds", checkpoint_seconds,
           "time between checkpoints; 0: at every step (a batch, a selection, an epoch)")
      .range(0, 1e9)
      .changeable();
}

void Recipe::show(Board& board, const Measurement& measurement, const Learner& /*learner*/) const {
  board.scalar(headline() + "/all", measurement.headline());
  for (size_t t = 0; t < measurement.per_task.size(); ++t)
    board.scalar(fmt::format("{}/task_{}", headline(), t + 1), measurement.per_task[t]);
}

std::string Recipe::summary(const nlohmann::json& metrics) const {
  std::string out = title() + ":";
  for (const auto& [name, value] : metrics.at("scores").items())
    out += fmt::format(" {} {}", name, value.is_number() ? fmt::format("{:.4f}", value.get<double>()) : "-");
  return out + fmt::format(", {:.1f} s\n", metrics.at("wall_seconds").get<double>());
}

std::string percent(const nlohmann::json& fraction) {
  return fraction.is_number() ? fmt::format("{:.2f} %", 100 * fraction.get<double>()) : "-";
}

void register_recipe(RecipeKind kind) { registry().add(std::move(kind)); }
const std::deque<RecipeKind>& recipes() { return registry().all(); }
const RecipeKind& find_recipe(const std::string& name) { return registry().find(name); }

std::string task_of(const Settings& settings) {
  std::string task = "classify";
  for (const Setting& setting : settings)
    if (setting.name == "task") task = setting.value;
  return task;
}

}  // namespace perennial
