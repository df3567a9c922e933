#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "perennial/memory/memory.h"
#include "perennial/memory/policy.h"
#include "perennial/run/matte_config.h"
#include "perennial/run/matte_sheet.h"
#include "perennial/run/resumable_run.h"
#include "perennial/tasks/matte_trainer.h"
#include "perennial/tasks/segmentation_metrics.h"

namespace perennial {

/// Mattes of people, learned from a folder and then from folder after folder (new people, new rooms): the
/// memory keeps photographs of all of them, and each later chunk is trained together with what it holds. The
/// test part of every chunk is measured after each, so that forgetting shows. Results: metrics.json,
/// model.safetensors (SINet's published names), mattes.png, report.html.
class MatteRun : public ResumableRun {
 public:
  static std::unique_ptr<MatteRun> create(const MatteConfig& config, const std::filesystem::path& folder,
                                          Progress& progress);
  static std::unique_ptr<MatteRun> open(const std::filesystem::path& folder, const Settings& overrides,
                                        Progress& progress);

  /// Of an opened run, before it is executed: where its photographs lie now. Others are an Error of
  /// execute().
  void find_at(const std::string& data);
  /// Begins the next chunk of data on a finished run; execute() then learns it.
  void begin_update(const std::string& data);

  bool finished() const override { return finished_; }
  nlohmann::json metrics_json() const override;
  const MatteConfig& config() const { return config_; }

 private:
  using Scores = std::optional<SegmentationScores>;  // nothing: the folder is gone
  struct Chunk {
    std::string data;
    int64_t images = 0, held_out = 0;
    uint64_t hash = 0;  ///< of the photographs and their masks; 0: unknown
    double seconds = 0;
    SegmentationScores before;          ///< on its own held-out part
    std::vector<Scores> after;          ///< on the held-out part of every chunk so far
    std::vector<nlohmann::json> curve;  ///< epochs measured
  };

  MatteRun(MatteConfig config, std::filesystem::path folder, Progress& progress);
  void prepare() override;
  void load_chunk();
  void warn_of_no_test() const;
  void begin_chunk();
  void step() override;
  void measure_before();
  void train();
  void measure_now();
  void add_point(const SegmentationScores& scores);
  void finish_chunk();
  void show_results();
  void remember();
  SegmentationScores measure(const std::vector<Matte>& mattes);
  nlohmann::json chunk_json(const Chunk& chunk) const;
  nlohmann::json iou_matrix() const;
  std::optional<double> forgetting() const;
  State save() const override;
  void load(const State& state);
  void write_results() override;
  double checkpoint_seconds() const override { return config_.checkpoint_seconds; }

  MatteConfig config_;
  MatteTrainer trainer_;
  Memory memory_;
  std::unique_ptr<Policy> policy_;
  std::vector<Chunk> chunks_;
  MatteSheet sheet_;
  bool finished_ = false, begun_ = false;
  int64_t measured_ = 0;  ///< epochs of all chunks at the last measurement
  double last_loss_ = 0;

  std::vector<Matte> train_, held_out_;  ///< of the current chunk
  size_t fresh_ = 0;                     ///< of train_; behind them lies the memory
};

}  // namespace perennial
