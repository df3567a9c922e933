#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "perennial/run/memory_sheet.h"
#include "perennial/run/metrics.h"
#include "perennial/run/resumable_run.h"

namespace perennial {

/// A learner and a stream of classified samples; its results are metrics.json, metrics.csv,
/// model.safetensors, memory.png and report.html. Killed anywhere and opened again, a CPU run ends bit-equal
/// to the one never killed.
class Run : public ResumableRun {
 public:
  /// Begins a run in a folder that holds none yet.
  static std::unique_ptr<Run> create(std::unique_ptr<RunConfig> config, const std::filesystem::path& folder,
                                     Progress& progress);
  /// Opens the newest whole checkpoint of a run to go on from it (to be executed or updated), or to use its
  /// model. `overrides` may change options without effect on results (threads and the like).
  static std::unique_ptr<Run> open(const std::filesystem::path& folder, const Settings& overrides,
                                   Progress& progress, Access access = Access::kChange);

  /// Of an opened run, before it is executed: where files lie now that were moved since it began. Settings of
  /// `data`, `stream` (splits:DIR) and `noise` (file:F); std::invalid_argument for others. Other data are an
  /// Error of execute().
  void find_at(const Settings& places);

  bool finished() const override { return finished_; }
  /// Stream samples learned from so far, over all chunks.
  int64_t samples_seen() const { return samples_before_ + position_; }

  /// Begins the next chunk of data on a finished run, as one task; new classes are appended by name.
  /// execute() then learns it.
  void begin_update(const DataOptions& data);

  Learner& learner() { return *learner_; }
  RunConfig& config() { return *config_; }
  const std::vector<std::string>& class_names() const { return class_names_; }
  /// Shape of an input image [C, H, W].
  const std::vector<int64_t>& image_shape() const { return image_shape_; }
  const Normalisation& normalisation() const { return normalisation_; }
  nlohmann::json metrics_json() const override;

 private:
  Run(std::unique_ptr<RunConfig> config, std::filesystem::path folder, Progress& progress);
  void load_source(const DataOptions& options);
  void map_classes(DataSource& source);
  void make_learner();
  void require_room() const;
  void warn_of_no_test() const;
  void make_stream();
  void attach();
  void prepare() override;
  void attach_again();
  void use_kept_weights();
  void hash_data();

  void watch(const TrainingStep& step);
  void show(const Evaluation& e);
  void show_results(const nlohmann::json& metrics);
  void step() override;
  void observe_next();
  bool interval_due() const;
  void measure_interval();
  void consolidate_piece();
  void measure_piece();
  void finish_task(const Evaluation& e);
  void finish();
  Evaluation evaluate_now(const std::string& why);

  State save() const override;
  void load(const State& state);
  nlohmann::json memory_json(const Memory& memory) const;
  void keep_true_labels(const Memory& memory);
  void write_results() override;
  double checkpoint_seconds() const override { return config_->checkpoint_seconds; }

  std::unique_ptr<RunConfig> config_;
  DataSource source_;
  std::vector<std::string> class_names_;
  std::vector<int64_t> image_shape_;
  Normalisation normalisation_;
  bool is_digits_ = false;
  std::optional<Stream> stream_;
  std::unique_ptr<Learner> learner_;
  Metrics metrics_;

  ModelOptions model_;            ///< the configuration's, its weights from where they lie now
  StreamOptions stream_options_;  ///< likewise
  DataOptions chunk_data_;        ///< the data of the current chunk
  int64_t chunk_ = 0;             ///< 0: the first stream; then one per update
  int64_t task_ = 0;              ///< tasks of this chunk finished
  int64_t samples_before_ = 0;    ///< stream samples of earlier chunks
  int64_t classes_before_ = 0;    ///< classes known before this chunk
  bool consolidating_ = false;
  bool finished_ = false;
  int64_t piece_ = 0;         ///< pieces of the consolidation done and measured
  bool measuring_ = false;    ///< a piece is done, what follows from it is not
  bool more_pieces_ = false;  ///< of the consolidation, after the one being measured
  int64_t measured_ = 0;      ///< position of the last look at an interval of the stream
  std::vector<char> seen_;    ///< labels that have arrived
  int64_t peak_candidate_bytes_ = 0;
  double evaluation_seconds_ = 0;
  int64_t unseen_steps_ = 0;   ///< training steps taken since they were last shown
  double shown_at_ = 0;        ///< when that was, by this process's clock, evaluations left out
  int64_t position_ = 0;       ///< of the stream in this chunk
  uint64_t data_hash_ = 0;     ///< of the chunk's ids and labels
  uint64_t content_hash_ = 0;  ///< of its pictures, its test part and the order in which it comes; 0: unknown
  at::Tensor pictures_;        ///< images of the chunk, also when features have taken their place
  MemorySheet sheet_;
  std::map<int64_t, int64_t> true_labels_;               ///< by id: of the memory's samples, where known
  std::optional<ProgressPart> passing_, consolidation_;  ///< what is going on, for people
};

}  // namespace perennial
