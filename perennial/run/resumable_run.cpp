#include "perennial/run/resumable_run.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "perennial/base/clock.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/lock.h"
#include "perennial/base/log.h"
#include "perennial/io/event_file.h"
#include "perennial/io/image.h"
#include "perennial/io/weights.h"
#include "perennial/run/report/report.h"

namespace perennial {
namespace {

using nlohmann::json;

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

ResumableRun::ResumableRun(std::filesystem::path folder, Progress& progress)
    : folder_(std::move(folder)),
      progress_(progress),
      checkpoints_(folder_ / kCheckpoints),
      started_(steady_seconds()),
      last_checkpoint_(steady_seconds()) {}

ResumableRun::~ResumableRun() = default;

// A beginning that failed has left at most a config.toml, the log and the starting weights.
void ResumableRun::require_no_run() const {
  const auto refuse = [this](const std::string& found) {
    throw Error({"beginning a run", folder_.string(), "a folder without a run", found});
  };
  std::error_code code;
  if (!checkpoints_.empty()) refuse("one (go on with `perennial resume`, or name another folder)");
  const bool has_config = std::filesystem::exists(folder_ / kConfig, code);
  std::vector<std::filesystem::path> mine{"metrics.json", "metrics.csv", "model.safetensors",
                                          "memory.png",   "mattes.png",  "report.html"};
  if (!has_config)
    mine.insert(mine.end(), {kLog, kept_weights().filename()});
  else if (read_file(folder_ / kConfig) != config_text_)
    mine = {kConfig};
  for (const auto& name : mine)
    if (std::filesystem::exists(folder_ / name, code))
      refuse("a " + name.string() + " of something else (move it away, or name another folder)");
}

void ResumableRun::claim(const std::string& config) {
  if (folder_.empty()) throw std::invalid_argument("out: expected a folder to write, found an empty name");
  config_text_ = config;
  require_no_run();
  lock_ = std::make_unique<FolderLock>(folder_, "beginning a run");
  require_no_run();
}

void ResumableRun::begin(const std::filesystem::path& weights) {
  const bool had_config = std::filesystem::exists(folder_ / kConfig);
  try {
    write_file_atomic(folder_ / kConfig, config_text_);
    open_log();
    if (!weights.empty()) write_file_atomic(kept_weights(), MappedFile(weights_file(weights)).bytes());
    events_ = std::make_unique<EventWriter>(folder_);
    checkpoint();
  } catch (...) {
    remove_beginning();
    if (!had_config) std::filesystem::remove(folder_ / kConfig);
    throw;
  }
}

void ResumableRun::remove_beginning() {
  std::error_code code;
  log_to_nothing();
  if (events_) std::filesystem::remove(events_->file(), code);
  for (const auto& file : {kept_weights(), folder_ / kCheckpoints}) std::filesystem::remove(file, code);
  if (std::filesystem::is_empty(folder_ / kLog, code)) std::filesystem::remove(folder_ / kLog, code);
}

void ResumableRun::open_log() {
  log_to(folder_ / kLog, true);
  if (!lock_->works())
    log_warning(fmt::format("the file system of {} knows no locks: let no other process change this run",
                            folder_.string()));
}

State ResumableRun::reopen(Access access) {
  if (access == Access::kChange) {
    lock_ = std::make_unique<FolderLock>(folder_, "going on with a run");
    remove_leftovers(folder_);
    open_log();
  } else {
    log_to_terminal();
  }
  State state = checkpoints_.read([](const std::string& line) { log_warning(line); });
  earlier_seconds_ = state.value<double>("wall_seconds");
  chunk_seconds_ = state.value<double>("chunk_seconds");
  if (lock_ && state.values.contains("events"))
    reopen_events(state.value<std::string>("events_file"), state.value<int64_t>("events"));
  return state;
}

void ResumableRun::reopen_events(const std::string& file, int64_t records) {
  try {
    events_ = std::make_unique<EventWriter>(folder_ / std::filesystem::path(file).filename(), records);
  } catch (const Error& e) {
    log_warning(fmt::format("{}; beginning another event file", e.what()));
    events_ = std::make_unique<EventWriter>(folder_);
  }
}

void ResumableRun::require_lock() const {
  if (!lock_) throw std::logic_error("a run that was opened to be used does not go on");
}

void ResumableRun::execute() {
  if (finished()) return;
  require_lock();
  prepare();
  const double began = steady_seconds(), before = chunk_seconds_;
  while (!finished()) {
    chunk_seconds_ = before + steady_seconds() - began;
    try {
      if (progress_.stop_requested()) throw Interrupted{};
      step();
    } catch (const Interrupted&) {
      checkpoint();
      throw Interrupted{"the checkpoint is written; go on with `perennial resume " + folder_.string() + "`"};
    }
    if (!finished() && steady_seconds() - last_checkpoint_ >= checkpoint_seconds()) checkpoint();
  }
  chunk_seconds_ = before + steady_seconds() - began;
  write_results();
  write_file_atomic(folder_ / "report.html", report_html(folder_));
  checkpoint();
}

void ResumableRun::checkpoint() {
  require_lock();
  State state = save();
  state.values["wall_seconds"] = wall_seconds();
  state.values["chunk_seconds"] = chunk_seconds_;
  if (events_) {
    state.values["events_file"] = events_->file().filename().string();
    state.values["events"] = events_->records();
  }
  checkpoints_.write(state);
  last_checkpoint_ = steady_seconds();
}

void ResumableRun::scalar(const std::string& tag, int64_t at, double value) {
  if (events_ && std::isfinite(value)) events_->scalar(tag, at, value, clock_time());
}

void ResumableRun::picture(const std::string& tag, int64_t at, const Image& image) {
  if (events_) events_->image(tag, at, encode_png(image), image.height, image.width, clock_time());
}

double ResumableRun::wall_seconds() const { return earlier_seconds_ + steady_seconds() - started_; }

Settings settings_of_run(const std::filesystem::path& folder, const Settings& overrides,
                         const std::vector<std::string>& changeable) {
  std::error_code code;
  if (!std::filesystem::exists(folder / kConfig, code))
    throw Error({"opening the run", folder.string(), "a folder written by `perennial learn`",
                 code                                    ? code.message()
                 : std::filesystem::exists(folder, code) ? "no config.toml in it"
                                                         : "nothing there"});
  Settings settings = read_toml(folder / kConfig);
  for (const Setting& setting : overrides) {
    if (std::find(changeable.begin(), changeable.end(), setting.name) == changeable.end())
      throw std::invalid_argument(fmt::format("{} is fixed by the run; only {} may change when it goes on",
                                              setting.name, fmt::join(changeable, ", ")));
    settings.push_back(setting);
  }
  return settings;
}

json fixed_options(const OptionTable& table, const std::vector<std::string>& changeable) {
  json out = json::object();
  for (const Option& option : table.options())
    if (std::find(changeable.begin(), changeable.end(), option.name()) == changeable.end())
      out[option.name()] = option.get();
  return out;
}

void require_same_options(const json& saved, const json& own, const std::string& source) {
  for (const auto& [name, value] : own.items())
    if (saved.contains(name) && saved[name] != value)
      throw Error({"reading the checkpoint", source,
                   fmt::format("{} = {} as in config.toml", name, value.dump()), saved[name].dump()});
}

}  // namespace perennial
