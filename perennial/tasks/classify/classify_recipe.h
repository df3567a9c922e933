#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "perennial/tasks/classify/config.h"
#include "perennial/tasks/classify/evaluate.h"
#include "perennial/tasks/classify/label_truth.h"
#include "perennial/tasks/classify/memory_sheet.h"
#include "perennial/tasks/recipe.h"

namespace perennial {

/// The registration of "classify", the task of `perennial learn`.
RecipeKind classify_recipe();

/// `perennial learn` as a library has it: Run::create(classify({{"learner", "rm"}, ...}), folder, progress).
std::unique_ptr<Recipe> classify(const Settings& settings);

/// Samples of named classes, of which new ones may come with every update. The headline is the accuracy over
/// the classes that have arrived, on the test parts of all data so far.
class ClassifyRecipe : public Recipe {
 public:
  explicit ClassifyRecipe(std::unique_ptr<ClassifyConfig> config);

  ClassifyConfig& config() { return *config_; }
  const ClassifyConfig& config() const { return *config_; }
  const std::vector<std::string>& class_names() const { return class_names_; }
  /// Shape of an input image [C, H, W].
  const std::vector<int64_t>& image_shape() const { return image_shape_; }
  const Normalisation& normalisation() const { return normalisation_; }

  OptionTable table() override { return config_->table(); }
  const RunOptions& options() const override { return config_->run; }
  Schedule schedule() const override;
  std::string headline() const override { return "accuracy"; }
  double joint() const override { return config_->joint_accuracy; }
  std::string title() const override;
  void check() override;
  std::filesystem::path weights() const override { return model_.weights; }
  void weights_lie_at(const std::string& file) override;

  void update(const Settings& data, const std::filesystem::path& run) override;
  void find_at(const Settings& places) override;
  std::string data() const override { return data_.source; }
  Arrival arrive(Progress& progress) override;

  std::unique_ptr<Learner> make_learner(OnStep on_step) override;
  void observe(const Samples& batch) override;
  Measurement measure(const Learner& learner, Progress& progress) override;
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
  /// A task, and what it brought.
  struct Brought {
    int64_t update;                     ///< whose test part measures it
    std::vector<int64_t> classes;       ///< its major classes
    std::vector<int64_t> composition;   ///< samples of each class that was known then
    std::vector<int64_t> memory = {};   ///< of each class in the memory at its end
    std::optional<double> purity = {};  ///< share of the memory's labels that were right then
  };

  /// Data of an earlier update, and the hash of what they held out; 0: not known.
  struct Earlier {
    DataOptions data;
    uint64_t test_hash = 0;
  };

  int64_t update_index() const { return std::ssize(earlier_); }
  void require_whole(const std::string& source) const;
  DataSource load(const DataOptions& options, Progress& progress) const;
  void map_classes(DataSource& source, bool to_learn);
  void take_form_of(const Dataset& train);
  std::vector<Task> make_tasks_of(Dataset& train) const;
  void plant_shortcut(DataSource& source, Progress& progress);
  void find_earlier_tests(Progress& progress);
  std::vector<char> seen_of(const Brought& task) const;
  std::vector<int64_t> count(std::span<const int64_t> labels) const;
  nlohmann::json memory_json(const Memory& memory, const Learner& learner) const;

  std::unique_ptr<ClassifyConfig> config_;
  ModelOptions model_;            ///< the configuration's, its weights from where they lie now
  StreamOptions stream_;          ///< likewise
  DataOptions data_;              ///< of this update
  uint64_t frozen_hash_ = 0;      ///< of the file of weights that stay as they are; 0: none
  std::vector<Earlier> earlier_;  ///< of the updates before
  uint64_t test_hash_ = 0;        ///< of what this update's data hold out
  std::shared_ptr<const DataSource> source_;
  std::shared_ptr<const Dataset> pictures_;  ///< of the training part, when features have taken their place
  std::shared_ptr<const DataSource> shortcut_tests_;  ///< train: with its own class's, test: with another's
  std::vector<std::shared_ptr<const Dataset>>
      tests_;  ///< of each update so far; none: not to be had any more

  std::vector<std::string> class_names_;
  int64_t classes_before_ = 0;  ///< known before this update
  std::vector<int64_t> image_shape_;
  Normalisation normalisation_;
  bool is_digits_ = false;
  std::vector<char> seen_;  ///< labels that have arrived
  std::vector<Brought> brought_;
  Evaluation measured_, last_;  ///< at the last measurement, at the last end of a task
  MemorySheet sheet_;
  LabelTruth truth_;
};

}  // namespace perennial
