#include "perennial/run/bench.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perennial/base/child.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/lock.h"
#include "perennial/base/text.h"
#include "perennial/io/toml.h"
#include "perennial/run/run_folder.h"
#include "perennial/tasks/recipe.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;

/// Its first checkpoint is what makes a folder a run.
bool is_begun(const fs::path& run) {
  std::error_code none;
  const auto files = fs::directory_iterator(run / "checkpoint", none);
  return fs::exists(run / "config.toml") && !none && files != fs::directory_iterator();
}

bool is_finished(const fs::path& run) {
  constexpr int64_t kMostBytes = 1 << 30;
  const fs::path file = run / "metrics.json";
  if (!fs::exists(file)) return false;
  const auto metrics = nlohmann::json::parse(read_file(file, kMostBytes), nullptr, false);
  return metrics.is_object() && metrics.value("finished", nlohmann::json(false)) == true;
}

/// A run as it is to be: its folder and its configuration, whole.
struct Planned {
  BenchRun run;
  std::string config;
};

Planned plan(const GridRow& row, int64_t seed, const fs::path& out) {
  Settings settings{{"threads", "1"}};
  settings.insert(settings.end(), row.settings.begin(), row.settings.end());
  settings.push_back({"seed", std::to_string(seed)});
  const std::string task = task_of(settings);
  if (task != "classify")
    throw std::invalid_argument(
        fmt::format("row {}: a grid has runs of `learn`, not of the task {}", row.name, task));
  const auto recipe = find_recipe(task).make(settings);
  const OptionTable table = recipe->table();
  const fs::path folder = out / row.name / std::to_string(seed);
  if (is_begun(folder)) {
    const auto there = find_recipe(task).make(settings_of_run(folder));
    const OptionTable before = there->table();
    for (const Option& option : before.options()) {
      const Option* own = table.find(option.name());
      if (own != nullptr && !option.is_changeable() && own->get() != option.get())
        throw Error(
            {"going on with the grid", folder.string(),
             fmt::format("a run with {} = {} (or no folder, or --out elsewhere)", option.name(), own->get()),
             option.get()});
    }
  }
  return {{row.name, seed, folder, ""}, write_toml(table)};
}

std::vector<Planned> plan_all(const Grid& grid, const BenchOptions& options) {
  std::vector<std::string> names;
  for (const GridRow& row : grid.rows) names.push_back(row.name);
  for (const std::string& name : options.only) require_known("--only", name, names);
  std::vector<Planned> all;
  for (const int64_t seed : grid.seeds)
    for (const GridRow& row : grid.rows)
      if (options.only.empty() ||
          std::find(options.only.begin(), options.only.end(), row.name) != options.only.end())
        all.push_back(plan(row, seed, options.out));
  return all;
}

/// Runs, some at a time.
class Workers {
 public:
  Workers(std::vector<Planned>& runs, const BenchOptions& options) : runs_(runs), options_(options) {
    const auto count = std::clamp<int64_t>(options.jobs, 1, std::max<int64_t>(1, std::ssize(runs)));
    children_.resize(static_cast<size_t>(count), nullptr);
    for (size_t i = 0; i < children_.size(); ++i) threads_.emplace_back([this, i] { work(i); });
  }

  ~Workers() {
    stop();
    join();
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Waits a little; gives how many runs have ended.
  int64_t ended() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(200));
    return ended_;
  }

  /// No more runs, and those that go on are to end.
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (Child* child : children_)
      if (child != nullptr) child->ask_to_end();
  }

  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  void work(size_t place) {
    for (;;) {
      Planned* next = nullptr;
      {
        const std::lock_guard lock(mutex_);
        if (stopped_ || next_ == runs_.size()) return;
        next = &runs_[next_++];
      }
      try {
        if (!is_finished(next->run.folder)) execute(*next, place);
      } catch (const std::exception& e) {
        next->run.error = e.what();
      }
      const std::lock_guard lock(mutex_);
      ++ended_;
      changed_.notify_all();
    }
  }

  void execute(const Planned& planned, size_t place) {
    const fs::path& folder = planned.run.folder;
    std::vector<std::string> command = options_.program;
    if (is_begun(folder)) {
      command.insert(command.end(), {"resume", folder.string(), "--quiet"});
    } else {
      make_folder(folder.parent_path());
      const fs::path config = folder.string() + ".toml";
      write_file_atomic(config, planned.config);
      command.insert(command.end(), {"learn", config.string(), "--quiet", "--out", folder.string()});
    }
    Child child(command, Child::Pipe::kRead, "this program itself");
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) return child.ask_to_end();
      children_[place] = &child;
    }
    uint8_t said[4096];
    while (child.read(said, sizeof said) == sizeof said) {
    }
    {
      const std::lock_guard lock(mutex_);
      children_[place] = nullptr;
    }
    child.finish();
    std::error_code ignored;
    fs::remove(folder.string() + ".toml", ignored);
  }

  std::vector<Planned>& runs_;
  const BenchOptions& options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Child*> children_;  ///< of each thread, while it has one
  size_t next_ = 0;
  int64_t ended_ = 0;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

std::vector<BenchRun> run_grid(const Grid& grid, const BenchOptions& options, Progress& progress) {
  const FolderLock lock(options.out, "running a grid");
  std::vector<Planned> runs = plan_all(grid, options);
  {
    const ProgressPart part(progress, grid.title.empty() ? "runs" : grid.title, std::ssize(runs));
    Workers workers(runs, options);
    bool stopped = false;
    for (int64_t shown = 0; shown < std::ssize(runs) && !stopped;) {
      const int64_t ended = workers.ended();
      progress.advance(ended - shown);
      shown = ended;
      stopped = progress.stop_requested();
    }
    if (stopped) workers.stop();
    workers.join();
    if (stopped) throw Interrupted{"what was run is kept; the same command goes on"};
  }
  std::vector<BenchRun> done;
  for (Planned& planned : runs) done.push_back(std::move(planned.run));
  return done;
}

}  // namespace perennial
