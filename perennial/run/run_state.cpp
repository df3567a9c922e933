// The saved form of a run and the files it writes.
#include <fmt/format.h>

#include "perennial/base/bytes.h"
#include "perennial/base/clock.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/version.h"
#include "perennial/memory/memory.h"
#include "perennial/run/run.h"

namespace perennial {
namespace {

using nlohmann::json;

/// The options as values, without those that may change when a run goes on.
json fixed_options(const OptionTable& table) {
  json out = json::object();
  for (const Option& option : table.options())
    if (!option.is_changeable()) out[option.name()] = option.get();
  return out;
}

/// A saved configuration must be the one in config.toml: Error names the option. Options that came after the
/// checkpoint was written have their defaults.
void require_same_options(const json& saved, const json& own, const std::string& source) {
  for (const auto& [name, value] : own.items())
    if (saved.contains(name) && saved[name] != value)
      throw Error({"reading the checkpoint", source,
                   fmt::format("{} = {} as in config.toml", name, value.dump()), saved[name].dump()});
}

}  // namespace

void Run::checkpoint() {
  folder_.checkpoint(save());
  last_checkpoint_ = steady_seconds();
}

State Run::save() const {
  State state;
  json& v = state.values;
  v["format"] = kFormat;
  v["options"] = fixed_options(recipe_->table());
  v["task_sizes"] = task_sizes_;
  v["traits"] = json::array();
  for (const Trait& trait : traits_) v["traits"].push_back(trait.value);
  v["update"] = update_;
  v["task"] = task_;
  v["first_task"] = first_task_;
  v["position"] = samples_seen();
  v["epochs"] = epochs_;
  v["measured_samples"] = measured_samples_;
  v["measured_epochs"] = measured_epochs_;
  v["begun"] = begun_;
  v["consolidating"] = consolidating_;
  v["finished"] = finished_;
  v["piece"] = piece_;
  v["measuring"] = measuring_;
  v["more_pieces"] = more_pieces_;
  v["peak_candidate_bytes"] = peak_candidate_bytes_;
  v["evaluation_seconds"] = evaluation_seconds_;
  v["wall_seconds"] = wall_seconds();
  v["update_seconds"] = update_seconds_;
  v["metrics"] = metrics_.save();
  recipe_->save(state);
  learner_->save(state, "learner.");
  return state;
}

void Run::load(State state) {
  try {
    json& v = state.values;
    require_same_options(v.at("options"), fixed_options(recipe_->table()), state.source);
    if (!v.contains("format")) recipe_->upgrade(state);
    if (v.value("format", kFormat) > kFormat)
      throw Error({"reading the checkpoint", state.source, "a run of this version of perennial or an older",
                   "one of a newer version, which reads it"});
    v.at("task_sizes").get_to(task_sizes_);
    traits_.clear();
    for (const auto& value : v.at("traits")) traits_.push_back({"", value.get<uint64_t>()});
    v.at("update").get_to(update_);
    v.at("task").get_to(task_);
    v.at("first_task").get_to(first_task_);
    v.at("position").get_to(position_);
    v.at("epochs").get_to(epochs_);
    v.at("measured_samples").get_to(measured_samples_);
    v.at("measured_epochs").get_to(measured_epochs_);
    v.at("begun").get_to(begun_);
    v.at("consolidating").get_to(consolidating_);
    v.at("finished").get_to(finished_);
    v.at("piece").get_to(piece_);
    v.at("measuring").get_to(measuring_);
    v.at("more_pieces").get_to(more_pieces_);
    v.at("peak_candidate_bytes").get_to(peak_candidate_bytes_);
    v.at("evaluation_seconds").get_to(evaluation_seconds_);
    v.at("wall_seconds").get_to(earlier_seconds_);
    v.at("update_seconds").get_to(update_seconds_);
    metrics_.load(v.at("metrics"));
    if (first_task_ < 0 || task_ < first_task_ || static_cast<size_t>(first_task_) > task_sizes_.size())
      throw Error({"reading the checkpoint", state.source, "tasks in order", "others"});
    recipe_->load(state);
  } catch (const json::exception& e) {
    throw Error({"reading the checkpoint", state.source, "what this version of perennial writes", e.what()});
  }
  make_learner();
  learner_->load(state, "learner.");
}

json Run::metrics_json() const {
  json out = metrics_.to_json(recipe_->joint());
  out["task"] = task_of_recipe();
  out["seed"] = recipe_->options().seed;
  out["finished"] = finished_;
  out["version"] = version();
  out["commit"] = version_commit();
  out["samples_seen"] = samples_seen();
  out["epochs"] = epochs_;
  out["wall_seconds"] = wall_seconds();
  out["samples_per_second"] = static_cast<double>(samples_seen()) / std::max(1e-9, wall_seconds());
  out["peak_rss_bytes"] = peak_resident_bytes();
  out["candidate_bytes"] = peak_candidate_bytes_;
  out["phases"] = learner_->seconds();
  out["phases"]["evaluation"] = evaluation_seconds_;
  const Memory* memory = learner_->memory();
  out["memory_samples"] = memory ? memory->size() : 0;
  out["memory_bytes"] = memory ? memory->bytes() : 0;
  recipe_->describe(out, *learner_);
  return out;
}

void Run::write_results() {
  recipe_->write(folder(), *learner_);
  const json metrics = metrics_json();
  show_results(metrics);
  write_file_atomic(folder() / "metrics.json",
                    metrics.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
  write_file_atomic(folder() / "metrics.csv", metrics_.to_csv());
}

}  // namespace perennial
