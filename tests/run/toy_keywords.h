#pragma once

#include <cmath>
#include <numbers>
#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include "perennial/base/error.h"
#include "perennial/base/random.h"
#include "perennial/memory/epoch_order.h"
#include "perennial/memory/memory.h"
#include "perennial/memory/policy.h"
#include "perennial/tasks/recipe.h"

namespace perennial {

/// A small task with audio: which of eight tones a noisy sound of any length is. Sounds are ragged rows of a
/// column "audio"; a memory bounded in bytes keeps some.
namespace keywords {

inline constexpr int64_t kWords = 8;
inline constexpr const char* kAudio = "audio";

/// `count` sounds of each word, float in [-1, 1], 200 to 400 values long.
class Sounds : public Source {
 public:
  Sounds(std::vector<int64_t> words, int64_t count, int64_t first_id, uint64_t seed) : seed_(seed) {
    for (int64_t i = 0; i < count * std::ssize(words); ++i) {
      ids_.push_back(first_id + i);
      words_.push_back(words[static_cast<size_t>(i) % words.size()]);
    }
  }
  const std::vector<int64_t>& sample_ids() const override { return ids_; }
  const std::vector<int64_t>& words() const { return words_; }
  uint64_t hash(uint64_t seed) const override {
    return hash64({reinterpret_cast<const char*>(words_.data()), 8 * words_.size()}, mix64(seed, seed_));
  }
  Samples get(std::span<const int64_t> rows) const override {
    std::vector<float> values;
    std::vector<int64_t> offsets{0}, ids;
    at::Tensor labels = at::empty({std::ssize(rows)}, at::kLong);
    auto* label = labels.mutable_data_ptr<int64_t>();
    for (const int64_t row : rows) {
      const int64_t id = ids_.at(static_cast<size_t>(row)), word = words_[static_cast<size_t>(row)];
      Random random(seed_, "sound", 0, static_cast<uint64_t>(id));
      const int64_t length = 200 + random.below(201);
      for (int64_t t = 0; t < length; ++t)
        values.push_back(0.5F * std::sin(frequency(word) * static_cast<float>(t)) +
                         random.uniform(-0.3F, 0.3F));
      offsets.push_back(std::ssize(values));
      ids.push_back(id);
      *label++ = word;
    }
    at::Tensor audio = at::empty({std::ssize(values)});
    std::copy(values.begin(), values.end(), audio.mutable_data_ptr<float>());
    return {ids, {{kAudio, {audio, offsets}}, {column::kLabel, labels}}};
  }
  static float frequency(int64_t word) { return 0.2F + 0.3F * static_cast<float>(word); }

 private:
  uint64_t seed_;
  std::vector<int64_t> ids_, words_;
};

/// The strength of each tone in each sound: [N, kWords].
inline at::Tensor strengths(const Samples& samples) {
  at::Tensor out = at::zeros({samples.size(), kWords});
  for (int64_t i = 0; i < samples.size(); ++i) {
    const at::Tensor sound = samples.column(kAudio).row(i);
    const float* v = sound.const_data_ptr<float>();
    for (int64_t w = 0; w < kWords; ++w) {
      float re = 0, im = 0;
      for (int64_t t = 0; t < sound.size(0); ++t) {
        const float angle = Sounds::frequency(w) * static_cast<float>(t);
        re += v[t] * std::cos(angle), im += v[t] * std::sin(angle);
      }
      out.mutable_data_ptr<float>()[i * kWords + w] =
          4 * std::sqrt(re * re + im * im) / static_cast<float>(sound.size(0));
    }
  }
  return out;
}

class Words : public Predictor {
 public:
  explicit Words(at::Tensor weights) : weights_(std::move(weights)) {}
  at::Tensor predict(const Samples& samples) const override {
    return at::softmax(strengths(samples).matmul(weights_), 1);
  }

 private:
  at::Tensor weights_;
};

/// Softmax regression on them, by plain gradient steps on what arrives and then over the memory.
class Listener : public Learner {
 public:
  Listener(const std::string& memory, uint64_t seed, Recipe::OnStep on_step)
      : memory_(MemoryBudget::parse(memory)),
        policy_(make_policy({}, seed)),
        order_(seed, "listening"),
        on_step_(std::move(on_step)) {}

  int64_t wanted() const override { return 8; }
  void observe(const Samples& batch) override {
    step(batch);
    policy_->offer(memory_, batch);
  }
  bool consolidate(Progress& progress) override {
    order_.run(memory_.size(), 4, steps_, piece_name(piece_), progress,
               [&](std::span<const int64_t> rows, int64_t, int64_t) { step(memory_.take(rows)); });
    piece_ = (piece_ + 1) % pieces();
    return piece_ != 0;
  }
  int64_t pieces() const override { return 3; }
  std::string piece_name(int64_t i) const override { return "epoch " + std::to_string(i + 1); }
  at::Tensor predict(const Samples& samples) const override { return Words(weights_).predict(samples); }
  std::shared_ptr<const Predictor> snapshot() const override {
    return std::make_shared<Words>(weights_.clone());
  }
  const Memory* memory() const override { return &memory_; }
  void save(State& state, const std::string& prefix) const override {
    state.tensors[prefix + "weights"] = weights_.clone();
    state.put(prefix + "steps", steps_);
    state.put(prefix + "piece", piece_);
    memory_.save(state, prefix + "memory.");
    policy_->save(state, prefix + "policy.");
    order_.save(state, prefix);
  }
  void load(const State& state, const std::string& prefix) override {
    weights_ = state.tensor(prefix + "weights").clone();
    steps_ = state.value<int64_t>(prefix + "steps");
    piece_ = state.value<int64_t>(prefix + "piece");
    memory_.load(state, prefix + "memory.");
    policy_->load(state, prefix + "policy.");
    order_.load(state, prefix);
  }
  TensorFile model() const override { return {{{"weights", weights_}}, {}}; }

 private:
  void step(const Samples& batch) {
    const at::Tensor x = strengths(batch), p = at::softmax(x.matmul(weights_), 1);
    const at::Tensor wrong = p - at::one_hot(batch.tensor(column::kLabel), kWords);
    weights_ -= x.t().matmul(wrong) / static_cast<double>(batch.size());
    if (on_step_) on_step_({steps_, 1.0, wrong.square().mean().item<double>()});
    ++steps_;
  }
  at::Tensor weights_ = at::zeros({kWords, kWords});
  Memory memory_;
  std::unique_ptr<Policy> policy_;
  EpochOrder order_;
  int64_t steps_ = 0, piece_ = 0;
  Recipe::OnStep on_step_;
};

/// data = "0,1,2,3": the words that arrive, two in each task.
class KeywordRecipe : public Recipe {
 public:
  explicit KeywordRecipe(const Settings& settings) {
    for (const Setting& setting : settings) setting.apply(table());
    data_.push_back(first_);
  }
  OptionTable table() override {
    OptionTable t;
    t.add("task", task_, "what the run learns").choices({"keywords"});
    t.add("data", first_, "words, as in 0,1,2,3");
    t.add("memory", memory_, "samples or bytes");
    t.add("eval.every", every_, "samples between measurements; 0: at the ends of tasks").range(0, 1e9);
    run_.bind(t);
    return t;
  }
  const RunOptions& options() const override { return run_; }
  Schedule schedule() const override { return {.every_samples = every_}; }
  std::string headline() const override { return "word_accuracy"; }
  std::string title() const override { return "words " + data_.front(); }
  void update(const Settings& data, const std::filesystem::path&) override {
    if (data.size() != 1 || data[0].name != "data") throw std::invalid_argument("update: --data WORDS alone");
    data_.push_back(data[0].value);
  }
  void find_at(const Settings& places) override {
    for (const Setting& place : places) data_.back() = place.value;
  }
  std::string data() const override { return data_.back(); }
  Arrival arrive(Progress&) override {
    const std::vector<int64_t> words = words_of(data_.back());
    const auto source = std::make_shared<Sounds>(words, 20, 1000 * std::ssize(data_), seed());
    std::vector<Task> tasks;
    for (size_t w = 0; w < words.size(); w += 2) {
      tasks.push_back({{},
                       {words.begin() + static_cast<int64_t>(w),
                        words.begin() + static_cast<int64_t>(std::min(w + 2, words.size()))}});
      for (int64_t row = 0; row < source->size(); ++row)
        if (const auto& c = tasks.back().classes;
            std::find(c.begin(), c.end(), source->words()[static_cast<size_t>(row)]) != c.end())
          tasks.back().rows.push_back(row);
    }
    return {source, std::move(tasks), {{"other words", source->hash(0)}}};
  }
  std::unique_ptr<Learner> make_learner(OnStep on_step) override {
    return std::make_unique<Listener>(memory_, seed(), std::move(on_step));
  }
  void observe(const Samples& batch) override {
    for (const int64_t word : batch.labels()) heard_[static_cast<size_t>(word)] = 1;
  }
  Measurement measure(const Learner& learner, Progress&) override {
    Measurement m;
    double right = 0, all = 0;
    for (const std::string& data : data_) {
      const std::vector<int64_t> words = words_of(data);
      for (size_t w = 0; w < words.size(); w += 2) {
        double task_right = 0, task_all = 0;
        for (size_t k = w; k < std::min(w + 2, words.size()); ++k) {
          if (heard_[static_cast<size_t>(words[k])] == 0) continue;
          const Sounds test({words[k]}, 10, 500000 + 100 * words[k], seed());
          std::vector<int64_t> rows(10);
          std::iota(rows.begin(), rows.end(), int64_t{0});
          task_right += learner.predict(test.get(rows)).argmax(1).eq(words[k]).sum().item<double>();
          task_all += 10;
        }
        m.per_task.push_back(task_all > 0 ? task_right / task_all : NAN);
        right += task_right, all += task_all;
      }
    }
    m.scores = {{headline(), all > 0 ? right / all : NAN}};
    return m;
  }
  void write(const std::filesystem::path& run, const Learner& learner) override {
    write_safetensors(run / "model.safetensors", learner.model());
  }
  void describe(nlohmann::json& metrics, const Learner&) const override {
    metrics["learner"] = "listener";
    metrics["data"] = data_.front();
  }
  void save(State& state) const override { state.values["keywords"] = {data_, heard_}; }
  void load(const State& state) override {
    const nlohmann::json& saved = state.values;
    saved.at("keywords").at(0).get_to(data_);
    saved.at("keywords").at(1).get_to(heard_);
  }

 private:
  uint64_t seed() const { return static_cast<uint64_t>(run_.seed); }
  static std::vector<int64_t> words_of(const std::string& data) {
    std::vector<int64_t> words;
    for (const char c : data)
      if (c >= '0' && c < '0' + kWords) words.push_back(c - '0');
    if (words.empty()) throw Error({"listening", data, "words from 0 to 7", "none"});
    return words;
  }
  std::string task_ = "keywords", first_ = "0,1,2,3", memory_ = "20KB";
  int64_t every_ = 0;
  RunOptions run_;
  std::vector<std::string> data_;
  std::vector<char> heard_ = std::vector<char>(kWords, 0);
};

inline RecipeKind recipe() {
  return {"keywords", [](const Settings& s) { return std::make_unique<KeywordRecipe>(s); }, nullptr};
}

}  // namespace keywords
}  // namespace perennial
