#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "perennial/base/context.h"
#include "perennial/base/progress.h"
#include "perennial/run/metrics.h"
#include "perennial/run/position.h"
#include "perennial/run/run_folder.h"
#include "perennial/tasks/recipe.h"

namespace perennial {

/// A learner and a stream, whatever a recipe makes them: the one loop that every task runs through, in a
/// folder of its own. It goes on step by step and can be interrupted or killed anywhere: opened again it goes
/// on from its newest whole checkpoint, and a CPU run ends bit-equal to the one never killed. A finished run
/// takes updates: more data, as one more task of the same stream.
class Run : private Board {
 public:
  /// Begins a run in a folder that holds none yet.
  static std::unique_ptr<Run> create(std::unique_ptr<Recipe> recipe, const std::filesystem::path& folder,
                                     Progress& progress);
  /// Opens the newest whole checkpoint of a run to go on from it (to be executed or updated), or to use its
  /// model. `overrides` may change options without effect on results (threads and the like).
  static std::unique_ptr<Run> open(const std::filesystem::path& folder, const Settings& overrides,
                                   Progress& progress, Access access = Access::kChange);
  ~Run() override;

  /// Of an opened run, before it is executed: where files lie now that were moved since it began.
  /// std::invalid_argument for settings that name none. Other data are an Error of execute().
  void find_at(const Settings& places) { recipe_->find_at(places); }
  /// Goes on until the run has finished; then writes its results and report.html. Throws Interrupted, with
  /// the checkpoint written, when progress asks to stop.
  void execute();
  bool finished() const { return at_.finished; }
  /// Begins an update of a finished run, as one task; execute() then learns it. Throws Interrupted when
  /// stopped while the data are read: then the update was not begun.
  void begin_update(const Settings& data);

  /// What the run has around it: its log, its threads, its names. Whoever works with its recipe or learner
  /// enters it (Working, nn/device.h).
  Context& context() { return context_; }
  const std::filesystem::path& folder() const { return folder_.path(); }
  Recipe& recipe() { return *recipe_; }
  const Recipe& recipe() const { return *recipe_; }
  Learner& learner() { return *learner_; }
  /// Stream samples learned from so far.
  int64_t samples_seen() const { return stream_ ? stream_->position() : at_.samples; }
  /// metrics.json as it stands.
  nlohmann::json metrics_json() const;

 private:
  Run(std::unique_ptr<Recipe> recipe, std::filesystem::path folder, Progress& progress);
  void make_learner();
  void arrive();
  void prepare();
  void require_room() const;
  void warn() const;
  double wall_seconds() const;

  void step();
  void finish();
  void measure_before();
  void hand_over_task();
  void observe_next();
  bool interval_due() const;
  void measure_interval();
  void consolidate_piece();
  void measure_piece();
  void measure_epoch(const Measurement& m);
  void add_point(const Measurement& m);
  void finish_task(const Measurement& m);
  void record_update(const Measurement& m);
  Measurement measure();
  std::string task_title() const;
  std::string text_of(const Measurement& m) const;
  void tell(const std::string& line);

  void watch(const TrainingStep& step);
  void show(const Measurement& m);
  void show_results(const nlohmann::json& metrics);
  void scalar(const std::string& tag, double value) override;
  void picture(const std::string& tag, const Image& image) override;
  int64_t now() const { return recipe_->schedule().over_epochs ? at_.epochs : samples_seen(); }

  void checkpoint();
  State save() const;
  void load(State state);
  void write_results();
  std::string task_of_recipe() const { return recipe_->table().find("task")->get(); }

  static constexpr int kFormat = 2;  ///< of the state; 1 had none of this name

  mutable Context context_ = Context::beside(Context::current());
  std::unique_ptr<Recipe> recipe_;
  RunFolder folder_;
  Progress& progress_;
  std::unique_ptr<Learner> learner_;
  std::optional<Stream> stream_;  ///< none before the data have arrived (again)
  Metrics metrics_;

  std::vector<int64_t> task_sizes_;  ///< stream samples of each task, of those that have arrived
  std::vector<Trait> traits_;        ///< of the data of this update
  std::string warning_;              ///< about them
  Position at_;
  int64_t handed_over_ = -1;  ///< the task whose data the learner has been given
  int64_t peak_candidate_bytes_ = 0;
  double evaluation_seconds_ = 0, update_seconds_ = 0;
  double earlier_seconds_ = 0;  ///< of earlier processes
  double started_, last_checkpoint_;
  int64_t unseen_steps_ = 0;  ///< training steps taken since they were last shown
  double shown_at_ = 0;       ///< when that was, by this process's clock, evaluations left out
  std::optional<ProgressPart> passing_, consolidation_;  ///< what is going on, for people
};

}  // namespace perennial
