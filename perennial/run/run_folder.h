#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "perennial/base/settings.h"
#include "perennial/run/checkpoint.h"

namespace perennial {

class EventWriter;
struct Image;
class FolderLock;
class Log;

/// What a run is opened for: to go on, which one process at a time may do, or to use what it has learned:
/// then nothing in its folder is touched, so that the folder may be read-only and another process at work on
/// it.
enum class Access { kChange, kUse };

/// The folder that a run lives in: config.toml, checkpoint/, log.txt, events.out.tfevents.*, a copy of the
/// weights that it began with; `log` is written to log.txt. One process at a time changes it.
class RunFolder {
 public:
  RunFolder(std::filesystem::path path, Log& log);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path kept_weights() const { return path_ / "start.safetensors"; }

  /// Makes the folder of a new run and keeps other processes out of it, before anything is computed. Throws
  /// Error when it holds a run, cannot be written to, or another process is at work on it. Unless begin()
  /// follows, the folder goes again.
  void claim(const std::string& config);
  /// Writes config.toml, a copy of the weights that the run starts from unless they are none, and the first
  /// checkpoint: from now on the folder holds a run. When that fails it does not.
  void begin(const std::filesystem::path& weights, State first);
  /// The newest whole checkpoint; events go on where it has them.
  State reopen(Access access);
  void checkpoint(State state);
  /// Throws std::logic_error for a run that was opened to be used.
  void require_lock() const;

  void scalar(const std::string& tag, int64_t at, double value);
  void picture(const std::string& tag, int64_t at, const Image& image);

 private:
  void require_no_run() const;
  void remove_beginning();
  void open_log();
  void reopen_events(const std::string& file, int64_t records);

  std::filesystem::path path_;
  Log& log_;
  std::unique_ptr<FolderLock> lock_;
  std::string config_text_;  ///< of a new run
  CheckpointFolder checkpoints_;
  std::unique_ptr<EventWriter> events_;
};

/// config.toml of a run. Throws Error when the folder holds no run.
Settings settings_of_run(const std::filesystem::path& folder);

}  // namespace perennial
