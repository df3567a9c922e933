#include "perennial/tasks/segment/segment_recipe.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/log.h"
#include "perennial/base/places.h"
#include "perennial/data/augment.h"
#include "perennial/data/hold_out.h"
#include "perennial/io/weights.h"
#include "perennial/report/matte_sections.h"
#include "perennial/tasks/segment/format1.h"
#include "perennial/tasks/segment/matte_learner.h"
#include "perennial/tasks/segment/matte_model.h"
#include "perennial/tasks/segment/matte_source.h"

namespace perennial {
namespace {

using nlohmann::json;

constexpr int64_t kPictures = 12;

struct Split {
  std::vector<Matte> train, held_out;
};

Split load_split(const std::string& folder, const MatteConfig& config, Progress& progress) {
  Split split;
  std::vector<Matte> mattes = load_mattes(folder, {config.mask_threshold, config.skip_bad}, progress);
  std::vector<uint64_t> contents;
  for (const Matte& matte : mattes) contents.push_back(matte.content);
  const double share = config.hold_out > 0 ? 1 / static_cast<double>(config.hold_out) : 0;
  const std::vector<bool> out = held_out(contents, share);
  for (size_t i = 0; i < mattes.size(); ++i)
    (out[i] ? split.held_out : split.train).push_back(std::move(mattes[i]));
  return split;
}

Samples at_side(const MatteSource& source, int64_t side) {
  constexpr int64_t kRows = 16;  // at their own size at once
  std::vector<Samples> parts;
  for (int64_t first = 0; first < source.size(); first += kRows) {
    std::vector<int64_t> rows(static_cast<size_t>(std::min(kRows, source.size() - first)));
    std::iota(rows.begin(), rows.end(), first);
    parts.push_back(augment(source.get(rows), {.side = side}, 0, 0));
  }
  return concat(parts);
}

// Evenly spaced, for pictures.
Samples some(const Samples& all) {
  const int64_t n = std::min(all.size(), kPictures);
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < n; ++i) rows.push_back(i * all.size() / n);
  return take(all, rows);
}

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

}  // namespace

std::unique_ptr<Recipe> segment(const Settings& settings) {
  return std::make_unique<SegmentRecipe>(make_matte_config(settings));
}

RecipeKind segment_recipe() { return {"segment", segment, report::matte_sections}; }

SegmentRecipe::SegmentRecipe(MatteConfig config) : config_(std::move(config)) {
  config_.data = path_from_root("data", config_.data);
  config_.weights = path_from_root("weights", config_.weights);
  parts_.push_back({.data = config_.data});
}

Schedule SegmentRecipe::schedule() const {
  return {.every_epochs = config_.eval_every, .before = true, .over_epochs = true, .steps_shown = 1};
}

// What the weights are of is what is trained.
void SegmentRecipe::check() {
  if (config_.weights.empty()) return;
  const MatteNet net = matte_net(read_weights(config_.weights));
  config_.train.net = net.variant;
  if (net.variant == "portrait") config_.train.classes = net.classes;
}

void SegmentRecipe::update(const Settings& settings, const std::filesystem::path& /*run*/) {
  std::string folder;
  for (const Setting& setting : settings) {
    if (setting.name == "data")
      folder = setting.value;
    else if (setting.name == "data.skip_bad")
      config_.skip_bad = setting.value == "true";
    else
      throw std::invalid_argument(
          "update: a run of mattes takes --data DIR and --skip-bad, and no other option of data");
  }
  if (folder.empty()) throw std::invalid_argument("update: say which data with --data DIR");
  parts_.push_back({.data = path_from_root("data", folder)});
}

void SegmentRecipe::find_at(const Settings& places) {
  for (const Setting& place : places) {
    if (place.name != "data")
      throw std::invalid_argument("resume: of a run of mattes, only --data DIR can have been moved");
    parts_.back().data = path_from_root("data", place.value);
  }
}

Arrival SegmentRecipe::arrive(Progress& progress) {
  Part& part = parts_.back();
  if (!std::filesystem::exists(part.data))
    throw Error({"loading images and masks", part.data, "a folder of photographs", "nothing there"});
  Split split = load_split(part.data, config_, progress);
  if (split.train.empty())
    throw Error({"loading images and masks", part.data, "photographs to train on",
                 fmt::format("none ({} held out)", split.held_out.size())});
  part.images = std::ssize(split.train);
  part.held_out = std::ssize(split.held_out);
  const MatteSource tested(std::move(split.held_out));
  part.test = at_side(tested, config_.train.size);
  part.test_hash = tested.hash(0);
  const auto source = std::make_shared<MatteSource>(std::move(split.train));
  find_earlier_tests(progress);
  Task task;
  for (int64_t row = 0; row < part.images; ++row) task.rows.push_back(row);
  const auto count = static_cast<uint64_t>(part.images + part.held_out);
  std::string warning;
  if (part.held_out == 0)
    warning = fmt::format("{}: no photograph is held out, no matte can be measured", part.data);
  return {source,
          {std::move(task)},
          {{fmt::format("{} of them", count), count}, {"others", tested.hash(source->hash(0))}},
          std::move(warning)};
}

// What is held out of earlier folders says what the model has forgotten.
void SegmentRecipe::find_earlier_tests(Progress& progress) {
  for (size_t i = 0; i + 1 < parts_.size(); ++i) {
    if (parts_[i].test) continue;
    try {
      const MatteSource tested(load_split(parts_[i].data, config_, progress).held_out);
      if (parts_[i].test_hash != 0 && tested.hash(0) != parts_[i].test_hash)
        throw Error({"reading what it holds out again", parts_[i].data, "what it was", "other photographs"});
      parts_[i].test = at_side(tested, config_.train.size);
    } catch (const Error& e) {
      log_warning(fmt::format("{} cannot be measured any more: {}", parts_[i].data, e.what()));
    }
  }
}

std::unique_ptr<Learner> SegmentRecipe::make_learner(OnStep on_step) {
  auto learner = std::make_unique<MatteLearner>(config_, std::move(on_step));
  if (is_new_ && !config_.weights.empty()) {
    const TrainedWeights weights = read_weights(config_.weights);
    learner->net().load_weights(weights, weights.source);
  }
  learner_ = learner.get();
  return learner;
}

Measurement SegmentRecipe::measure(const Learner& learner, Progress& progress) {
  constexpr int64_t kBatch = 8;
  int64_t images = 0;
  for (const Part& part : parts_) images += part.test ? part.test->size() : 0;
  const ProgressPart progress_part(progress, "measuring mattes", images);
  SegmentationMetrics all;
  measured_.clear();
  Measurement m;
  for (const Part& part : parts_) {
    SegmentationMetrics own;
    const int64_t count = part.test ? part.test->size() : 0;
    for (int64_t first = 0; first < count; first += kBatch) {
      if (progress.stop_requested()) throw Interrupted{};
      const int64_t n = std::min(kBatch, count - first);
      const Samples batch = slice(*part.test, first, n);
      const at::Tensor predicted = learner.predict(batch);
      for (SegmentationMetrics* metrics : {&own, &all}) metrics->add(predicted, batch.tensor(column::kMask));
      progress.advance(n);
    }
    measured_.push_back(part.test ? Scores(own.scores()) : std::nullopt);
    m.per_task.push_back(measured_.back() ? measured_.back()->foreground_iou : NAN);
  }
  const SegmentationScores s = all.scores();
  m.scores = {{"foreground_iou", s.foreground_iou}, {"miou", s.miou}, {"boundary_f1", s.boundary_f1}};
  if (learner_->loss() > 0) m.notes = {{"loss", learner_->loss()}};
  return m;
}

void SegmentRecipe::update_begins(const Learner& learner, const Measurement& /*measurement*/) {
  Part& part = parts_.back();
  part.before = measured_.back().value();
  sheet_ = {};
  if (part.held_out == 0) return;
  const Samples shown = some(*part.test);
  sheet_.begin(shown.tensor(column::kImage), shown.tensor(column::kMask), learner.predict(shown));
}

void SegmentRecipe::task_ended(const Learner& learner, const Measurement& /*measurement*/, double seconds) {
  Part& part = parts_.back();
  part.after = measured_;
  part.seconds = seconds;
  if (!sheet_.empty()) sheet_.now(learner.predict(some(*part.test)));
}

json SegmentRecipe::update_record() const { return {{"held_out", parts_.back().held_out}}; }

void SegmentRecipe::show(Board& board, const Measurement& m, const Learner& /*learner*/) const {
  board.scalar("foreground_iou", m.headline());
  for (size_t i = 0; i < m.per_task.size(); ++i)
    board.scalar(fmt::format("foreground_iou/data_{}", i + 1), m.per_task[i]);
}

void SegmentRecipe::show_task(Board& board, const Learner& /*learner*/) const {
  if (!sheet_.empty()) board.picture("mattes", sheet_.picture());
}

std::string SegmentRecipe::summary(const json& m) const {
  std::string out;
  for (const auto& chunk : m.at("chunks")) {
    if (chunk.at("after").empty()) continue;
    const auto& after = chunk["after"].back();
    out += fmt::format(
        "{}: {} photographs, {} held out: foreground IoU {} before, {} after; mIoU {}, boundary F1 {}; "
        "{:.1f} "
        "s\n",
        chunk["data"].get<std::string>(), chunk["images"].get<int64_t>(), chunk["held_out"].get<int64_t>(),
        percent(chunk["before"]["foreground_iou"]), percent(after["foreground_iou"]), percent(after["miou"]),
        percent(after["boundary_f1"]), chunk["seconds"].get<double>());
  }
  if (m["forgetting"].is_number())
    out += fmt::format("forgotten on earlier data: {:.2f} points of foreground IoU\n",
                       100 * m["forgetting"].get<double>());
  return out;
}

json SegmentRecipe::part_json(const Part& part) const {
  json after = json::array();
  for (const Scores& s : part.after) after.push_back(s ? as_json(*s) : json(nullptr));
  return {{"data", part.data},       {"images", part.images},          {"held_out", part.held_out},
          {"seconds", part.seconds}, {"before", as_json(part.before)}, {"after", after}};
}

void SegmentRecipe::save(State& state) const {
  json& parts = state.values["segment"]["parts"] = json::array();
  for (const Part& part : parts_) {
    parts.push_back(part_json(part));
    parts.back()["test_hash"] = part.test_hash;
  }
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
              .before = scores(p.at("before")),
              .test_hash = p.value("test_hash", uint64_t{0})};
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

void SegmentRecipe::upgrade(State& state) const { upgrade_matte_format1(state); }

}  // namespace perennial
