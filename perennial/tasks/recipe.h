#pragma once

#include <cmath>
#include <deque>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "perennial/base/options.h"
#include "perennial/base/settings.h"
#include "perennial/data/stream.h"
#include "perennial/learn/method.h"

namespace perennial {

struct Image;

struct Score {
  std::string name;
  double value;  ///< NaN: not known
};

/// What a measurement of a learner found.
struct Measurement {
  std::vector<Score> scores;  ///< on all that has arrived; the first one is the headline
  std::vector<double>
      per_task;  ///< the headline on what each task brought; NaN: not arrived, or not to be had
  std::vector<Score> notes = {};  ///< what stands beside the scores in the curve: the loss of an epoch

  double headline() const {
    return scores.empty() ? std::numeric_limits<double>::quiet_NaN() : scores.front().value;
  }
};

/// Something that makes data what they are, for a run that goes on with them.
struct Trait {
  std::string otherwise;  ///< what has been found where it is another: "other samples or labels"
  uint64_t value;
};

/// The data that a run is to learn next.
struct Arrival {
  std::shared_ptr<const Source> source;
  std::vector<Task> tasks;
  std::vector<Trait> traits;  ///< the coarse ones first
  std::string warning = {};   ///< for people: nothing is held out
};

/// When a run measures, and what its figures stand over.
struct Schedule {
  int64_t every_samples = 0;  ///< of the stream; 0: at the ends of tasks only
  int64_t every_epochs = 0;   ///< of training
  bool best_epoch = false;    ///< after each epoch, to show the best (peeking)
  bool before = false;        ///< also before each update's first sample
  bool over_epochs = false;   ///< figures stand over epochs of training, not over samples of the stream
  int64_t steps_shown = 10;   ///< of so many training steps one is shown
};

/// What people watch while a run goes on.
class Board {
 public:
  virtual ~Board() = default;
  virtual void scalar(const std::string& tag, double value) = 0;
  virtual void picture(const std::string& tag, const Image& image) = 0;
};

/// Options that every run has.
struct RunOptions {
  int64_t seed = 1;     ///< of everything random
  int64_t threads = 0;  ///< 0: as many as the machine has
  double checkpoint_seconds = 30;

  void bind(OptionTable& table);
};

/// What a task gives to a run: its options, its sources, its learner, its measure, its files. The run has the
/// rest: folder, loop, checkpoints, metrics, events.
class Recipe {
 public:
  using OnStep = std::function<void(const TrainingStep&)>;

  virtual ~Recipe() = default;

  /// All options; refers to this object.
  virtual OptionTable table() = 0;
  virtual const RunOptions& options() const = 0;
  virtual Schedule schedule() const { return {}; }
  /// The name of the first score ("accuracy").
  virtual std::string headline() const = 0;
  /// What joint training reaches of it, in percent, for I_last; 0: unknown.
  virtual double joint() const { return 0; }
  /// For people: "rm on digits, blurry10".
  virtual std::string title() const = 0;
  /// For a new run, before anything is written: settles what the options leave open, and refuses what can be
  /// refused before data are read.
  virtual void check() {}
  /// The file of weights that a new run begins with and keeps a copy of, or none; and where they lie now.
  virtual std::filesystem::path weights() const { return {}; }
  virtual void weights_lie_at(const std::string& /*file*/) {}

  /// From now on the data are these, in the words of `perennial update`. `run` is the folder of the run.
  /// std::invalid_argument for what it does not take.
  virtual void update(const Settings& data, const std::filesystem::path& run) = 0;
  /// Where files of the data lie now that were moved: settings of `data` and the like.
  virtual void find_at(const Settings& places) = 0;
  /// The data, for people: "folder:DIR".
  virtual std::string data() const = 0;
  /// Loads the data: the same traits, tasks and source whenever it is called.
  virtual Arrival arrive(Progress& progress) = 0;

  /// A new learner, for the data that have arrived or a state that is to be loaded.
  virtual std::unique_ptr<Learner> make_learner(OnStep on_step) = 0;
  /// Samples are about to be observed.
  virtual void observe(const Samples& /*batch*/) {}
  /// Of the learner as it stands, on everything held out that can be had.
  virtual Measurement measure(const Learner& learner, Progress& progress) = 0;
  /// A task has ended, or (with Schedule::before) an update is about to begin, with this measurement.
  /// `seconds` were spent on the update so far.
  virtual void task_ended(const Learner& /*learner*/, const Measurement& /*measurement*/,
                          double /*seconds*/) {}
  virtual void update_begins(const Learner& /*learner*/, const Measurement& /*measurement*/) {}
  /// What the record of an update says beside data, samples, headline and seconds.
  virtual nlohmann::json update_record() const { return nlohmann::json::object(); }

  /// Files beside config.toml, metrics.* and report.html: the model, pictures.
  virtual void write(const std::filesystem::path& run, const Learner& learner) = 0;
  /// Adds to metrics.json.
  virtual void describe(nlohmann::json& metrics, const Learner& learner) const = 0;
  /// Adds to what is shown after a measurement, and after a task; `board` knows where it stands.
  virtual void show(Board& board, const Measurement& measurement, const Learner& learner) const;
  virtual void show_task(Board& /*board*/, const Learner& /*learner*/) const {}
  /// A finished run in a few lines, each ended by a newline; from its metrics.json.
  virtual std::string summary(const nlohmann::json& metrics) const;

  virtual void save(State& state) const = 0;
  virtual void load(const State& state) = 0;
  /// Turns a state that an earlier version wrote into one of this version.
  virtual void upgrade(State& /*state*/) const {}
};

/// For summaries: "12.34 %" of a fraction, "-" of what is no number.
std::string percent(const nlohmann::json& fraction);

/// A task that config.toml can name.
struct RecipeKind {
  std::string name;                                              ///< "classify"
  std::function<std::unique_ptr<Recipe>(const Settings&)> make;  ///< std::invalid_argument for bad settings
  std::function<std::string(const std::filesystem::path&)>
      report;  ///< its sections of report.html; may be none
};

/// Makes a task known to every run in the calling thread's context; a name that exists already is a
/// std::invalid_argument.
void register_recipe(RecipeKind kind);
/// All of them; references stay good when more come.
const std::deque<RecipeKind>& recipes();
/// std::invalid_argument with a suggestion when there is none of that name.
const RecipeKind& find_recipe(const std::string& name);
/// The task that settings name; "classify" when they name none.
std::string task_of(const Settings& settings);

}  // namespace perennial
