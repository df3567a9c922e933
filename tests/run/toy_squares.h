#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/zeros.h>

#include "perennial/base/random.h"
#include "perennial/memory/epoch_order.h"
#include "perennial/tasks/recipe.h"

namespace perennial {

/// A small task with boxes: where the squares of a picture are. Boxes are ragged rows of a column "boxes";
/// the headline is the F1 of boxes at an overlap (IoU) of a half.
namespace squares {

inline constexpr int64_t kSide = 24;
inline constexpr const char* kBoxes = "boxes";
using Box = std::array<int64_t, 4>;  // x, y, x and y after the last

/// `count` pictures of one to three squares of one brightness on another.
class Pictures : public Source {
 public:
  Pictures(int64_t inside, int64_t outside, int64_t count, int64_t first_id)
      : inside_(inside), outside_(outside), ids_(static_cast<size_t>(count)) {
    std::iota(ids_.begin(), ids_.end(), first_id);
  }
  const std::vector<int64_t>& sample_ids() const override { return ids_; }
  uint64_t hash(uint64_t seed) const override {
    return mix64(mix64(seed, static_cast<uint64_t>(inside_)), static_cast<uint64_t>(outside_));
  }
  Samples get(std::span<const int64_t> rows) const override {
    at::Tensor images = at::empty({std::ssize(rows), 1, kSide, kSide}, at::kByte);
    std::vector<int64_t> ids, offsets{0}, boxes;
    auto* pixels = images.mutable_data_ptr<uint8_t>();
    for (const int64_t row : rows) {
      const int64_t id = ids_.at(static_cast<size_t>(row));
      Random random(7, "squares", 0, static_cast<uint64_t>(id));
      for (int64_t p = 0; p < kSide * kSide; ++p)
        pixels[p] = static_cast<uint8_t>(outside_ - 10 + random.below(20));
      const int64_t count = 1 + random.below(3);
      for (int64_t k = 0; k < count; ++k) {  // each in a column of its own, so that none touch
        const int64_t side = 4 + random.below(3), x = 8 * k + random.below(2), y = random.below(kSide - 7);
        for (int64_t dy = 0; dy < side; ++dy)
          for (int64_t dx = 0; dx < side; ++dx)
            pixels[(y + dy) * kSide + x + dx] = static_cast<uint8_t>(inside_ - 10 + random.below(20));
        boxes.insert(boxes.end(), {x, y, x + side, y + side});
      }
      pixels += kSide * kSide;
      ids.push_back(id);
      offsets.push_back(std::ssize(boxes) / 4);
    }
    at::Tensor all = at::empty({std::ssize(boxes) / 4, 4}, at::kLong);
    std::copy(boxes.begin(), boxes.end(), all.mutable_data_ptr<int64_t>());
    return {ids, {{column::kImage, images}, {kBoxes, {all, offsets}}}};
  }

 private:
  int64_t inside_, outside_;
  std::vector<int64_t> ids_;
};

/// [N * kSide * kSide, 4]: 1, brightness, its square, its cube, from -1 to 1.
inline at::Tensor features(const Samples& samples) {
  const at::Tensor v = samples.tensor(column::kImage).to(at::kFloat).reshape({-1, 1}) / 127.5 - 1;
  return at::cat({at::ones_like(v), v, v * v, v * v * v}, 1);
}

inline at::Tensor inside(const Samples& samples) {
  at::Tensor out = at::zeros({samples.size(), kSide, kSide});
  for (int64_t i = 0; i < samples.size(); ++i) {
    const at::Tensor boxes = samples.column(kBoxes).row(i);
    const auto* b = boxes.const_data_ptr<int64_t>();
    for (int64_t k = 0; k < boxes.size(0); ++k, b += 4)
      out[i].slice(0, b[1], b[3]).slice(1, b[0], b[2]).fill_(1);
  }
  return out.reshape({-1, 1});
}

/// Bounding boxes of what hangs together (four neighbours) in [kSide, kSide] of 0 and 1, of at least 4
/// pixels.
inline std::vector<Box> boxes_of(const at::Tensor& mask) {
  const at::Tensor left = mask.to(at::kByte).contiguous().clone();
  auto* m = left.mutable_data_ptr<uint8_t>();
  std::vector<Box> boxes;
  for (int64_t start = 0; start < kSide * kSide; ++start) {
    Box box{kSide, kSide, 0, 0};
    int64_t pixels = 0;
    for (std::vector<int64_t> todo{start}; !todo.empty();) {
      const int64_t p = todo.back(), x = p % kSide, y = p / kSide;
      todo.pop_back();
      if (m[p] == 0) continue;
      m[p] = 0, ++pixels;
      box = {std::min(box[0], x), std::min(box[1], y), std::max(box[2], x + 1), std::max(box[3], y + 1)};
      if (x > 0) todo.push_back(p - 1);
      if (x + 1 < kSide) todo.push_back(p + 1);
      if (y > 0) todo.push_back(p - kSide);
      if (y + 1 < kSide) todo.push_back(p + kSide);
    }
    if (pixels >= 4) boxes.push_back(box);
  }
  return boxes;
}

inline double overlap(const Box& a, const Box& b) {
  const auto area = [](const Box& c) {
    return std::max<int64_t>(0, c[2] - c[0]) * std::max<int64_t>(0, c[3] - c[1]);
  };
  const Box both{std::max(a[0], b[0]), std::max(a[1], b[1]), std::min(a[2], b[2]), std::min(a[3], b[3])};
  return static_cast<double>(area(both)) / static_cast<double>(area(a) + area(b) - area(both));
}

class Insides : public Predictor {
 public:
  explicit Insides(at::Tensor weights) : weights_(std::move(weights)) {}
  at::Tensor predict(const Samples& samples) const override {
    return features(samples).matmul(weights_).gt(0).reshape({samples.size(), kSide, kSide});
  }

 private:
  at::Tensor weights_;
};

/// Logistic regression of every pixel, over the task's pictures for some epochs. It keeps none: it comes back
/// to the task's source.
class Finder : public Learner {
 public:
  explicit Finder(uint64_t seed, Recipe::OnStep on_step)
      : order_(seed, "looking"), on_step_(std::move(on_step)) {}
  void task_data(const std::shared_ptr<const Source>& source, const std::vector<int64_t>& rows) override {
    source_ = source, rows_ = rows;
  }
  int64_t wanted() const override { return 0; }
  void observe(const Samples&) override {}
  bool consolidate(Progress& progress) override {
    order_.run(std::ssize(rows_), 8, steps_, piece_name(piece_), progress,
               [&](std::span<const int64_t> some, int64_t, int64_t) {
                 std::vector<int64_t> rows;
                 for (const int64_t i : some) rows.push_back(rows_[static_cast<size_t>(i)]);
                 step(source_->get(rows));
               });
    piece_ = (piece_ + 1) % pieces();
    return piece_ != 0;
  }
  int64_t pieces() const override { return 6; }
  std::string piece_name(int64_t i) const override { return "epoch " + std::to_string(i + 1); }
  /// [N, kSide, kSide]: 1 inside a square.
  at::Tensor predict(const Samples& samples) const override { return Insides(weights_).predict(samples); }
  std::shared_ptr<const Predictor> snapshot() const override {
    return std::make_shared<Insides>(weights_.clone());
  }
  void save(State& state, const std::string& prefix) const override {
    state.tensors[prefix + "weights"] = weights_.clone();
    state.put(prefix + "steps", steps_);
    state.put(prefix + "piece", piece_);
    order_.save(state, prefix);
  }
  void load(const State& state, const std::string& prefix) override {
    weights_ = state.tensor(prefix + "weights").clone();
    steps_ = state.value<int64_t>(prefix + "steps");
    piece_ = state.value<int64_t>(prefix + "piece");
    order_.load(state, prefix);
  }
  TensorFile model() const override { return {{{"weights", weights_}}, {}}; }

 private:
  void step(const Samples& batch) {
    const at::Tensor x = features(batch), wrong = at::sigmoid(x.matmul(weights_)) - inside(batch);
    weights_ -= x.t().matmul(wrong) * (20.0 / static_cast<double>(x.size(0)));
    if (on_step_) on_step_({steps_, 20, wrong.square().mean().item<double>()});
    ++steps_;
  }
  at::Tensor weights_ = at::zeros({4, 1});
  std::shared_ptr<const Source> source_;
  std::vector<int64_t> rows_;
  EpochOrder order_;
  int64_t steps_ = 0, piece_ = 0;
  Recipe::OnStep on_step_;
};

/// data = "200 on 50": the brightness of squares and of what lies behind them.
class SquaresRecipe : public Recipe {
 public:
  explicit SquaresRecipe(const Settings& settings) {
    for (const Setting& setting : settings) setting.apply(table());
    data_.push_back(first_);
  }
  OptionTable table() override {
    OptionTable t;
    t.add("task", task_, "what the run learns").choices({"squares"});
    t.add("data", first_, "brightness, as in 200 on 50");
    run_.bind(t);
    return t;
  }
  const RunOptions& options() const override { return run_; }
  Schedule schedule() const override { return {.every_epochs = 2, .over_epochs = true, .steps_shown = 1}; }
  std::string headline() const override { return "f50"; }
  std::string title() const override { return "squares, " + data_.front(); }
  void update(const Settings& data, const std::filesystem::path&) override {
    data_.push_back(data.at(0).value);
  }
  void find_at(const Settings& places) override { data_.back() = places.at(0).value; }
  std::string data() const override { return data_.back(); }
  Arrival arrive(Progress&) override {
    const auto source = pictures(data_.back(), 24, 1000 * std::ssize(data_));
    Task task;
    for (int64_t row = 0; row < source->size(); ++row) task.rows.push_back(row);
    return {source, {std::move(task)}, {{"other squares", source->hash(0)}}};
  }
  std::unique_ptr<Learner> make_learner(OnStep on_step) override {
    return std::make_unique<Finder>(static_cast<uint64_t>(run_.seed), std::move(on_step));
  }
  Measurement measure(const Learner& learner, Progress&) override {
    double found = 0, right = 0, there = 0;
    Measurement m;
    for (const std::string& data : data_) {
      double own_found = 0, own_right = 0, own_there = 0;
      const auto test = pictures(data, 12, 90000);
      std::vector<int64_t> rows(12);
      std::iota(rows.begin(), rows.end(), int64_t{0});
      const Samples samples = test->get(rows);
      const at::Tensor masks = learner.predict(samples);
      for (int64_t i = 0; i < samples.size(); ++i) {
        const at::Tensor truth = samples.column(kBoxes).row(i);
        const std::vector<Box> boxes = boxes_of(masks[i]);
        for (int64_t k = 0; k < truth.size(0); ++k) {
          const auto* t = truth.const_data_ptr<int64_t>() + 4 * k;
          own_right += std::any_of(boxes.begin(), boxes.end(),
                                   [&](const Box& b) { return overlap(b, {t[0], t[1], t[2], t[3]}) >= 0.5; });
        }
        own_found += static_cast<double>(boxes.size()), own_there += static_cast<double>(truth.size(0));
      }
      m.per_task.push_back(2 * own_right / (own_found + own_there));
      found += own_found, right += own_right, there += own_there;
    }
    m.scores = {{"f50", 2 * right / (found + there)}, {"recall", right / there}};
    return m;
  }
  void write(const std::filesystem::path& run, const Learner& learner) override {
    write_safetensors(run / "model.safetensors", learner.model());
  }
  void describe(nlohmann::json& metrics, const Learner&) const override {
    metrics["learner"] = "finder";
    metrics["data"] = data_.front();
  }
  void save(State& state) const override { state.values["squares"] = data_; }
  void load(const State& state) override {
    const nlohmann::json& saved = state.values;
    saved.at("squares").get_to(data_);
  }

 private:
  static std::shared_ptr<Pictures> pictures(const std::string& data, int64_t count, int64_t first_id) {
    return std::make_shared<Pictures>(std::stoll(data), std::stoll(data.substr(data.find("on") + 2)), count,
                                      first_id);
  }
  std::string task_ = "squares", first_ = "200 on 50";
  RunOptions run_;
  std::vector<std::string> data_;
};

inline RecipeKind recipe() {
  return {"squares", [](const Settings& s) { return std::make_unique<SquaresRecipe>(s); }, nullptr};
}

}  // namespace squares
}  // namespace perennial
