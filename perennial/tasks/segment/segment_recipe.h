#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "perennial/tasks/recipe.h"
#include "perennial/tasks/segment/matte_config.h"
#include "perennial/tasks/segment/matte_data.h"
#include "perennial/tasks/segment/matte_sheet.h"
#include "perennial/tasks/segment/segmentation_metrics.h"

namespace perennial {

class MatteLearner;

/// The registration of "segment", the task of `perennial segment train`.
RecipeKind segment_recipe();

/// As a library has it: Run::create(segment({{"data", DIR}, ...}), folder, progress).
std::unique_ptr<Recipe> segment(const Settings& settings);

/// Mattes of people, learned from a folder and then from folder after folder (new people, new rooms). A part
/// of each is held out; after every task those of all are measured, so that forgetting shows. The headline is
/// the foreground IoU, mean over all photographs held out. Files: model.safetensors (SINet's published
/// names), mattes.png.
class SegmentRecipe : public Recipe {
 public:
  explicit SegmentRecipe(MatteConfig config);

  MatteConfig& config() { return config_; }

  OptionTable table() override { return config_.table(); }
  const RunOptions& options() const override { return config_.run; }
  Schedule schedule() const override;
  std::string headline() const override { return "foreground_iou"; }
  std::string title() const override { return "mattes from " + config_.data; }
  void check() override;

  void update(const Settings& data, const std::filesystem::path& run) override;
  void find_at(const Settings& places) override;
  std::string data() const override { return parts_.back().data; }
  Arrival arrive(Progress& progress) override;

  std::unique_ptr<Learner> make_learner(OnStep on_step) override;
  Measurement measure(const Learner& learner, Progress& progress) override;
  void update_begins(const Learner& learner, const Measurement& measurement) override;
  void task_ended(const Learner& learner, const Measurement& measurement, double seconds) override;
  nlohmann::json update_record() const override;

  void write(const std::filesystem::path& run, const Learner& learner) override;
  void describe(nlohmann::json& metrics, const Learner& learner) const override;
  void show(Board& board, const Measurement& measurement, const Learner& learner) const override;
  void show_task(Board& board, const Learner& learner) const override;
  std::string summary(const nlohmann::json& metrics) const override;

  void save(State& state) const override;
  void load(const State& state) override;
  void upgrade(State& state) const override;

 private:
  using Scores = std::optional<SegmentationScores>;  // nothing: the folder is gone

  /// A folder of photographs that the run has learned or is to learn.
  struct Part {
    std::string data;
    int64_t images = 0, held_out = 0;
    double seconds = 0;
    SegmentationScores before = {};    ///< on its own held-out part
    uint64_t test_hash = 0;            ///< of the held-out part; 0: not known
    std::vector<Scores> after = {};    ///< on the held-out part of every folder so far
    std::optional<Samples> test = {};  ///< the held-out part at the network's side; nothing: not loaded
  };

  void find_earlier_tests(Progress& progress);
  nlohmann::json part_json(const Part& part) const;

  MatteConfig config_;
  std::vector<Part> parts_;
  std::vector<Scores> measured_;  ///< on each part's, at the last measurement
  MatteSheet sheet_;
  bool is_new_ = true;  ///< no state was loaded: the network begins with the configured weights
  const MatteLearner* learner_ = nullptr;  ///< made last
};

}  // namespace perennial
