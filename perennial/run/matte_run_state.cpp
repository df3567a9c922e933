// The saved form of a run of mattes and the files it writes.
#include <cmath>

#include "perennial/base/bytes.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/version.h"
#include "perennial/run/matte_run.h"

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
  const auto number = [&](const char* key) {
    return j.at(key).is_null() ? SegmentationScores::kUnknown : j.at(key).get<double>();
  };
  return {number("foreground_iou"), number("miou"), number("boundary_f1"), j.at("images")};
}

}  // namespace

json MatteRun::iou_matrix() const {
  json matrix = json::array();
  for (const Chunk& chunk : chunks_) {
    json row = json::array();
    for (const Scores& s : chunk.after) row.push_back(s ? number(s->foreground_iou) : json(nullptr));
    if (!row.empty()) matrix.push_back(row);
  }
  return matrix;
}

// Mean over the earlier chunks of the best foreground IoU a chunk ever had before the end, less its last.
std::optional<double> MatteRun::forgetting() const {
  const json matrix = iou_matrix();
  if (matrix.size() < 2) return std::nullopt;
  double sum = 0;
  int64_t count = 0;
  const size_t last = matrix.size() - 1;
  for (size_t j = 0; j < last; ++j) {
    if (matrix[last][j].is_null()) continue;
    double best = -1;
    for (size_t t = j; t < last; ++t)
      if (!matrix[t][j].is_null()) best = std::max(best, matrix[t][j].get<double>());
    if (best < 0) continue;
    sum += best - matrix[last][j].get<double>();
    ++count;
  }
  return count > 0 ? std::optional(sum / static_cast<double>(count)) : std::nullopt;
}

json MatteRun::chunk_json(const Chunk& chunk) const {
  json after = json::array();
  for (const Scores& s : chunk.after) after.push_back(s ? as_json(*s) : json(nullptr));
  return {{"data", chunk.data},       {"images", chunk.images},          {"held_out", chunk.held_out},
          {"seconds", chunk.seconds}, {"before", as_json(chunk.before)}, {"after", after},
          {"curve", chunk.curve}};
}

State MatteRun::save() const {
  State state;
  json& v = state.values;
  MatteConfig config = config_;
  v["options"] = fixed_options(config.table(), MatteConfig::changeable());
  v["chunks"] = json::array();
  for (const Chunk& chunk : chunks_) {
    v["chunks"].push_back(chunk_json(chunk));
    v["chunks"].back()["hash"] = chunk.hash;
  }
  v["finished"] = finished_;
  v["begun"] = begun_;
  v["measured"] = measured_;
  v["last_loss"] = last_loss_;
  trainer_.save(state, "trainer.");
  memory_.save(state, "memory.");
  policy_->save(state, "policy.");
  sheet_.save(state, "sheet.");
  return state;
}

void MatteRun::load(const State& state) {
  try {
    const json& v = state.values;
    require_same_options(v.at("options"), fixed_options(config_.table(), MatteConfig::changeable()),
                         state.source);
    for (const json& c : v.at("chunks")) {
      Chunk chunk{.data = c.at("data"),
                  .images = c.at("images"),
                  .held_out = c.at("held_out"),
                  .hash = c.value("hash", uint64_t{0}),
                  .seconds = c.at("seconds"),
                  .before = scores(c.at("before")),
                  .after = {},
                  .curve = c.at("curve")};
      for (const json& s : c.at("after")) chunk.after.push_back(s.is_null() ? Scores{} : scores(s));
      chunks_.push_back(std::move(chunk));
    }
    if (chunks_.empty()) throw Error({"reading the checkpoint", state.source, "a chunk of data", "none"});
    v.at("finished").get_to(finished_);
    v.at("begun").get_to(begun_);
    v.at("measured").get_to(measured_);
    v.at("last_loss").get_to(last_loss_);
    trainer_.load(state, "trainer.");
  } catch (const json::exception& e) {
    throw Error({"reading the checkpoint", state.source, "what this version of perennial writes", e.what()});
  }
  memory_.load(state, "memory.");
  if (const Samples& kept = memory_.samples(); !kept.empty()) {
    const auto images = kept.tensor(column::kImage).sizes(), masks = kept.tensor(column::kMask).sizes();
    if (images[1] != 3 || images.slice(2) != masks.slice(1))
      throw Error({"reading the checkpoint", state.source, "photographs and masks of one size", "others"});
  }
  policy_->load(state, "policy.");
  sheet_.load(state, "sheet.");
}

json MatteRun::metrics_json() const {
  json chunks = json::array();
  for (const Chunk& chunk : chunks_) chunks.push_back(chunk_json(chunk));
  const auto forgotten = forgetting();
  json out{{"task", config_.task},
           {"learner", config_.learner},
           {"data", config_.data},
           {"weights", config_.weights},
           {"seed", config_.seed},
           {"finished", finished_},
           {"chunks", chunks},
           {"iou_matrix", iou_matrix()},
           {"forgetting", forgotten ? json(*forgotten) : json(nullptr)},
           {"parameters", trainer_.net().tensors().parameter_count()},
           {"epochs", trainer_.epochs_done()},
           {"memory_samples", memory_.size()},
           {"memory_bytes", memory_.bytes()},
           {"wall_seconds", wall_seconds()},
           {"peak_rss_bytes", peak_resident_bytes()},
           {"version", version()},
           {"commit", version_commit()}};
  if (const Chunk& last = chunks_.back(); !last.after.empty()) out.update(as_json(last.after.back().value()));
  if (!sheet_.empty())
    out["sheet"] = {{"file", "mattes.png"}, {"tile", MatteSheet::kTile}, {"rows", sheet_.rows()}};
  return out;
}

void MatteRun::write_results() {
  if (!sheet_.empty()) write_file_atomic(folder_ / "mattes.png", encode_png(sheet_.picture()));
  write_file_atomic(folder_ / "metrics.json",
                    metrics_json().dump(1, ' ', false, json::error_handler_t::replace) + "\n");
  TensorFile model;
  trainer_.net().tensors().save(model.tensors, "");
  model.metadata["gate"] = config_.train.gate ? "true" : "false";
  model.metadata["size"] = std::to_string(config_.train.size);
  write_safetensors(folder_ / "model.safetensors", model);
}

}  // namespace perennial
