#include "perennial/tasks/segment/format1.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "perennial/io/state.h"

namespace perennial {
namespace {

using nlohmann::json;

// What belongs to the learner has "learner." before it now.
std::string new_name(const std::string& name) {
  const bool own = name.starts_with("trainer.") || name.starts_with("memory.") || name.starts_with("policy.");
  return own ? "learner." + name : name;
}

void rename(State& state) {
  json values = json::object();
  TensorMap tensors;
  const json& old = state.values;
  for (const auto& [name, value] : old.items()) values[new_name(name)] = value;
  for (const auto& [name, tensor] : state.tensors) tensors[new_name(name)] = tensor;
  static_cast<json&>(state.values) = std::move(values);
  state.tensors = std::move(tensors);
}

// Mean over all images of what was measured of one folder after another.
json mean_of(const json& after, const char* key) {
  double sum = 0;
  int64_t images = 0;
  for (const json& s : after)
    if (!s.is_null() && s.at(key).is_number()) {
      sum += s.at(key).get<double>() * s.at("images").get<double>();
      images += s.at("images").get<int64_t>();
    }
  return images > 0 ? json(sum / static_cast<double>(images)) : json(nullptr);
}

}  // namespace

void upgrade_matte_format1(State& state) {
  json& v = state.values;
  const json old = v;
  rename(state);
  const json& chunks = old.at("chunks");
  const int64_t count = std::ssize(chunks);
  const bool finished = old.at("finished"), begun = old.at("begun");
  int64_t before = 0, done = old.at("trainer.epoch");
  json &metrics = v["metrics"], &sizes = v["task_sizes"] = json::array();
  for (const char* key : {"last", "matrix", "task_scores", "task_samples", "curve", "best", "updates"})
    metrics[key] = json::array();
  metrics["evaluations"] = 0;
  for (const json& chunk : chunks) {
    const int64_t images = chunk.at("images");
    const size_t task = sizes.size();
    sizes.push_back(images);
    for (json point : chunk.at("curve")) {
      point["task"] = task;
      point["samples"] = before + images;
      point["per_task"] = json::array();
      metrics["curve"].push_back(std::move(point));
    }
    const json& after = chunk.at("after");
    if (after.empty()) continue;
    before += images;
    json row = json::array();
    for (const json& s : after) row.push_back(s.is_null() ? json(nullptr) : s.at("foreground_iou"));
    metrics["matrix"].push_back(row);
    metrics["task_scores"].push_back(mean_of(after, "foreground_iou"));
    metrics["task_samples"].push_back(before);
    metrics["last"] = json::array();
    for (const char* key : {"foreground_iou", "miou", "boundary_f1"})
      metrics["last"].push_back({key, mean_of(after, key)});
    if (task > 0)
      metrics["updates"].push_back({{"data", chunk.at("data")},
                                    {"samples", images},
                                    {"held_out", chunk.at("held_out")},
                                    {"foreground_iou", after.back().at("foreground_iou")},
                                    {"seconds", chunk.at("seconds")}});
  }
  const json &stages = old.at("trainer.stages"), &last = chunks.back();
  const auto stage = old.at("trainer.stage").get<size_t>();
  for (size_t s = 0; s < std::min(stage, stages.size()); ++s) done += stages[s].at(4).get<int64_t>();
  const bool trained = stage >= stages.size() && !finished;  // and not measured and remembered yet
  v["segment"]["parts"] = chunks;
  v["traits"] = {last.at("images").get<uint64_t>() + last.at("held_out").get<uint64_t>(),
                 last.value("hash", uint64_t{0})};
  v["update"] = v["first_task"] = count - 1;
  v["task"] = finished ? count : count - 1;
  v["position"] = finished ? before : before + (begun ? last.at("images").get<int64_t>() : 0);
  v["epochs"] = old.at("trainer.trained").get<int64_t>() - (trained ? 1 : 0);
  v["measured_samples"] = 0;
  v["measured_epochs"] = old.at("measured");
  v["consolidating"] = begun && !finished;
  v["piece"] = finished ? 0 : trained ? done - 1 : done;
  v["measuring"] = false;
  v["more_pieces"] = true;
  v["peak_candidate_bytes"] = v["evaluation_seconds"] = 0;
  v["update_seconds"] = old.value("chunk_seconds", 0.0);
  v["learner.loss"] = old.at("last_loss");
  v["learner.task"] = v["task"];
  v["learner.in_task"] = !finished;
  v["learner.seconds"] = 0.0;
}

}  // namespace perennial
