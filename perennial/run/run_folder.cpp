#include "perennial/run/run_folder.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <stdexcept>

#include <fmt/format.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/lock.h"
#include "perennial/base/log.h"
#include "perennial/io/event_file.h"
#include "perennial/io/image.h"
#include "perennial/io/toml.h"
#include "perennial/io/weights.h"

namespace perennial {
namespace {

double clock_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

constexpr const char *kConfig = "config.toml", *kLog = "log.txt", *kCheckpoints = "checkpoint";

// A file half-written by a process that is gone: "NAME.tmpPID". One of a living process is its own business.
bool is_leftover(const std::string& name) {
  const size_t at = name.rfind(".tmp");
  if (at == std::string::npos) return false;
  const std::string pid = name.substr(at + 4);
  if (pid.empty() || pid.size() > 9 || pid.find_first_not_of("0123456789") != std::string::npos) return false;
  return ::kill(std::stoi(pid), 0) != 0 && errno == ESRCH;
}

void remove_leftovers(const std::filesystem::path& folder) {
  std::error_code code;
  for (const auto& place : {folder, folder / kCheckpoints})
    for (const auto& entry : std::filesystem::directory_iterator(place, code))
      if (is_leftover(entry.path().filename().string())) std::filesystem::remove(entry.path(), code);
}

}  // namespace

RunFolder::RunFolder(std::filesystem::path path, Log& log)
    : path_(std::move(path)), log_(log), checkpoints_(path_ / kCheckpoints) {}

RunFolder::~RunFolder() = default;

// A beginning that failed has left at most a config.toml, the log and the starting weights.
void RunFolder::require_no_run() const {
  const auto refuse = [this](const std::string& found) {
    throw Error({"beginning a run", path_.string(), "a folder without a run", found});
  };
  std::error_code code;
  if (!checkpoints_.empty()) refuse("one (go on with `perennial resume`, or name another folder)");
  const bool has_config = std::filesystem::exists(path_ / kConfig, code);
  std::vector<std::filesystem::path> mine{"metrics.json", "metrics.csv", "model.safetensors",
                                          "memory.png",   "mattes.png",  "report.html"};
  if (!has_config)
    mine.insert(mine.end(), {kLog, kept_weights().filename()});
  else if (read_file(path_ / kConfig) != config_text_)
    mine = {kConfig};
  for (const auto& name : mine)
    if (std::filesystem::exists(path_ / name, code))
      refuse("a " + name.string() + " of something else (move it away, or name another folder)");
}

void RunFolder::claim(const std::string& config) {
  if (path_.empty()) throw std::invalid_argument("out: expected a folder to write, found an empty name");
  config_text_ = config;
  require_no_run();
  lock_ = std::make_unique<FolderLock>(path_, "beginning a run");
  require_no_run();
}

void RunFolder::begin(const std::filesystem::path& weights, State first) {
  const bool had_config = std::filesystem::exists(path_ / kConfig);
  try {
    write_file_atomic(path_ / kConfig, config_text_);
    open_log();
    if (!weights.empty()) write_file_atomic(kept_weights(), MappedFile(weights_file(weights)).bytes());
    events_ = std::make_unique<EventWriter>(path_);
    checkpoint(std::move(first));
  } catch (...) {
    remove_beginning();
    if (!had_config) std::filesystem::remove(path_ / kConfig);
    throw;
  }
}

void RunFolder::remove_beginning() {
  std::error_code code;
  log_.to_nothing();
  if (events_) std::filesystem::remove(events_->file(), code);
  for (const auto& file : {kept_weights(), path_ / kCheckpoints}) std::filesystem::remove(file, code);
  if (std::filesystem::is_empty(path_ / kLog, code)) std::filesystem::remove(path_ / kLog, code);
}

void RunFolder::open_log() {
  log_.to(path_ / kLog, true);
  if (!lock_->works())
    log_.warning(fmt::format("the file system of {} knows no locks: let no other process change this run",
                             path_.string()));
}

State RunFolder::reopen(Access access) {
  if (access == Access::kChange) {
    lock_ = std::make_unique<FolderLock>(path_, "going on with a run");
    remove_leftovers(path_);
    open_log();
  } else {
    log_.to_terminal();
  }
  State state = checkpoints_.read([this](const std::string& line) { log_.warning(line); });
  if (lock_ && state.values.contains("events"))
    reopen_events(state.value<std::string>("events_file"), state.value<int64_t>("events"));
  return state;
}

void RunFolder::reopen_events(const std::string& file, int64_t records) {
  try {
    events_ = std::make_unique<EventWriter>(path_ / std::filesystem::path(file).filename(), records);
  } catch (const Error& e) {
    log_.warning(fmt::format("{}; beginning another event file", e.what()));
    events_ = std::make_unique<EventWriter>(path_);
  }
}

void RunFolder::require_lock() const {
  if (!lock_) throw std::logic_error("a run that was opened to be used does not go on");
}

void RunFolder::checkpoint(State state) {
  require_lock();
  if (events_) {
    state.put("events_file", events_->file().filename().string());
    state.put("events", events_->records());
  }
  checkpoints_.write(state);
}

void RunFolder::scalar(const std::string& tag, int64_t at, double value) {
  if (events_ && std::isfinite(value)) events_->scalar(tag, at, value, clock_time());
}

void RunFolder::picture(const std::string& tag, int64_t at, const Image& image) {
  if (events_) events_->image(tag, at, encode_png(image), image.height, image.width, clock_time());
}

Settings settings_of_run(const std::filesystem::path& folder) {
  std::error_code code;
  if (!std::filesystem::exists(folder / kConfig, code))
    throw Error({"opening the run", folder.string(), "a folder written by `perennial learn`",
                 code                                    ? code.message()
                 : std::filesystem::exists(folder, code) ? "no config.toml in it"
                                                         : "nothing there"});
  return read_toml(folder / kConfig);
}

}  // namespace perennial
