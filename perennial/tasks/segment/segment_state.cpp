// The saved form of SegmentRecipe and the files it writes.
#include <cmath>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/tasks/segment/matte_learner.h"
#include "perennial/tasks/segment/segment_recipe.h"

namespace perennial {
namespace {

using nlohmann::json;

// Of no image there is no score.
json number(double v) { return std::isfinite(v) ? json(v) : json(nullptr); }

json as_json(const SegmentationScores& s) {
  return {{"foreground_iou", number(s.foreground_iou)},
          {"miou", number(s.miou)},
          {"boundary_f1", number(s.boundary_f1)},
          {"images", s.images}};
}

SegmentationScores scores(const json& j) {
  const auto value = [&](const char* key) {
    return j.at(key).is_null() ? SegmentationScores::kUnknown : j.at(key).get<double>();
  };
  return {value("foreground_iou"), value("miou"), value("boundary_f1"), j.at("images")};
}

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

json SegmentRecipe::part_json(const Part& part) const {
  json after = json::array();
  for (const Scores& s : part.after) after.push_back(s ? as_json(*s) : json(nullptr));
  return {{"data", part.data},       {"images", part.images},          {"held_out", part.held_out},
          {"seconds", part.seconds}, {"before", as_json(part.before)}, {"after", after}};
}

void SegmentRecipe::save(State& state) const {
  json& parts = state.values["segment"]["parts"] = json::array();
  for (const Part& part : parts_) parts.push_back(part_json(part));
  sheet_.save(state, "sheet.");
}

void SegmentRecipe::load(const State& state) {
  parts_.clear();
  const json& values = state.values;
  for (const json& p : values.at("segment").at("parts")) {
    Part part{.data = p.at("data"),
              .images = p.at("images"),
              .held_out = p.at("held_out"),
              .seconds = p.at("seconds"),
              .before = scores(p.at("before"))};
    for (const json& s : p.at("after")) part.after.push_back(s.is_null() ? Scores{} : scores(s));
    parts_.push_back(std::move(part));
  }
  if (parts_.empty()) throw Error({"reading the checkpoint", state.source, "data", "none"});
  sheet_.load(state, "sheet.");
  is_new_ = false;
}

void SegmentRecipe::describe(json& out, const Learner& /*learner*/) const {
  out["learner"] = config_.learner;
  out["learner_title"] = "SINet";
  out["paper"] = "Park et al., WACV 2020";
  out["data"] = config_.data;
  out["model"] = config_.train.net;
  out["weights"] = config_.weights;
  json &chunks = out["chunks"] = json::array(), &matrix = out["iou_matrix"] = json::array();
  for (const Part& part : parts_) {
    json chunk = part_json(part), row = json::array();
    chunk["curve"] = json::array();
    for (const json& point : out.at("curve"))
      if (point.at("task") == chunks.size()) chunk["curve"].push_back(point);
    chunks.push_back(std::move(chunk));
    for (const Scores& s : part.after) row.push_back(s ? number(s->foreground_iou) : json(nullptr));
    if (!row.empty()) matrix.push_back(std::move(row));
  }
  out["forgetting"] = out.at("f_last");
  out["parameters"] = learner_->net().tensors().parameter_count();
  if (const Part& last = parts_.back(); !last.after.empty()) out.update(as_json(last.after.back().value()));
  if (!sheet_.empty())
    out["sheet"] = {{"file", "mattes.png"}, {"tile", MatteSheet::kTile}, {"rows", sheet_.rows()}};
}

void SegmentRecipe::write(const std::filesystem::path& run, const Learner& learner) {
  if (!sheet_.empty()) write_file_atomic(run / "mattes.png", encode_png(sheet_.picture()));
  write_safetensors(run / "model.safetensors", learner.model());
}

// Version 1 trained and measured chunks of data, of which a stream knew nothing.
void SegmentRecipe::upgrade(State& state) const {
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
