#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "perennial/base/progress.h"
#include "perennial/run/checkpoint.h"
#include "perennial/run/config.h"

namespace perennial {

class EventWriter;
struct Image;
class FolderLock;

/// What a run is opened for: to go on, which one process at a time may do, or to use what it has learned:
/// then nothing in its folder is touched, so that the folder may be read-only and another process at work on
/// it.
enum class Access { kChange, kUse };

/// What every run does, whatever it trains: it lives in a folder (config.toml, checkpoint/, log.txt,
/// events.out.tfevents.*, and the results of its kind), goes on step by step, and can be interrupted or
/// killed anywhere: opened again it goes on from its newest whole checkpoint.
class ResumableRun {
 public:
  virtual ~ResumableRun();
  ResumableRun(const ResumableRun&) = delete;
  ResumableRun& operator=(const ResumableRun&) = delete;

  /// Goes on until the run has finished; then writes its results and report.html. Throws Interrupted, with
  /// the checkpoint written, when progress asks to stop.
  void execute();
  virtual bool finished() const = 0;
  /// metrics.json as it stands.
  virtual nlohmann::json metrics_json() const = 0;
  const std::filesystem::path& folder() const { return folder_; }

 protected:
  ResumableRun(std::filesystem::path folder, Progress& progress);

  /// Brings back what a checkpoint does not hold (the data); called before the first step.
  virtual void prepare() = 0;
  /// The next thing to do. May throw Interrupted in a state that can be saved.
  virtual void step() = 0;
  virtual State save() const = 0;
  /// metrics.json, the model, pictures.
  virtual void write_results() = 0;
  virtual double checkpoint_seconds() const = 0;

  /// Makes the folder of a new run and keeps other processes out of it, before anything is computed. Throws
  /// Error when it holds a run, cannot be written to, or another process is at work on it. Unless begin()
  /// follows, the folder goes again.
  void claim(const std::string& config);
  /// Writes config.toml, a copy of the weights that the run starts from unless they are none, and the first
  /// checkpoint: from now on the folder holds a run. When that fails it does not.
  void begin(const std::filesystem::path& weights = {});
  std::filesystem::path kept_weights() const { return folder_ / "start.safetensors"; }
  /// The newest whole checkpoint; events and clock go on where it has them.
  State reopen(Access access);
  void checkpoint();
  void scalar(const std::string& tag, int64_t at, double value);
  void picture(const std::string& tag, int64_t at, const Image& image);

  double wall_seconds() const;
  double chunk_seconds() const { return chunk_seconds_; }  ///< spent on the current chunk of data
  void restart_chunk_clock(double seconds) { chunk_seconds_ = seconds; }

  std::filesystem::path folder_;
  Progress& progress_;

 private:
  void require_no_run() const;
  void require_lock() const;
  void remove_beginning();
  void open_log();
  void reopen_events(const std::string& file, int64_t records);

  std::unique_ptr<FolderLock> lock_;
  std::string config_text_;  ///< of a new run
  CheckpointFolder checkpoints_;
  std::unique_ptr<EventWriter> events_;
  double earlier_seconds_ = 0, chunk_seconds_ = 0, started_ = 0, last_checkpoint_ = 0;
};

/// config.toml of a run, then `overrides`, which may name `changeable` options only (std::invalid_argument).
/// Throws Error when the folder holds no run.
Settings settings_of_run(const std::filesystem::path& folder, const Settings& overrides,
                         const std::vector<std::string>& changeable);

/// A saved configuration must be the one in config.toml: Error names the option. Options that came after the
/// checkpoint was written have their defaults.
void require_same_options(const nlohmann::json& saved, const nlohmann::json& own, const std::string& source);
/// The options as values, without those that may change when a run goes on.
nlohmann::json fixed_options(const OptionTable& table, const std::vector<std::string>& changeable);

}  // namespace perennial
