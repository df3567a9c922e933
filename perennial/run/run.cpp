#include "perennial/run/run.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "perennial/base/clock.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/log.h"
#include "perennial/io/toml.h"
#include "perennial/memory/memory.h"
#include "perennial/nn/device.h"
#include "perennial/run/report.h"

namespace perennial {

Run::Run(std::unique_ptr<Recipe> recipe, std::filesystem::path folder, Progress& progress)
    : recipe_(std::move(recipe)),
      folder_(std::move(folder), context_.log),
      progress_(progress),
      metrics_(recipe_->headline()),
      started_(steady_seconds()),
      last_checkpoint_(steady_seconds()) {}

Run::~Run() = default;

std::unique_ptr<Run> Run::create(std::unique_ptr<Recipe> recipe, const std::filesystem::path& folder,
                                 Progress& progress) {
  std::unique_ptr<Run> run(new Run(std::move(recipe), folder, progress));
  const Working working(run->context_);
  use_threads(run->recipe_->options().threads);
  run->recipe_->check();
  run->folder_.claim(write_toml(run->recipe_->table()));
  run->arrive();
  run->begun_ = !run->recipe_->schedule().before;
  run->make_learner();
  run->require_room();
  const std::filesystem::path weights = run->recipe_->weights();
  run->folder_.begin(weights, run->save());
  if (!weights.empty()) {
    run->recipe_->weights_lie_at(run->folder_.kept_weights().string());
    run->make_learner();
  }
  run->warn();
  log_info(run->recipe_->title());
  return run;
}

std::unique_ptr<Run> Run::open(const std::filesystem::path& folder, const Settings& overrides,
                               Progress& progress, Access access) {
  const Settings settings = settings_of_run(folder);
  std::unique_ptr<Run> run(new Run(find_recipe(task_of(settings)).make(settings), folder, progress));
  const OptionTable table = run->recipe_->table();
  for (const Setting& setting : overrides) {
    const Option* option = table.find(setting.name);
    if (option == nullptr || !option->is_changeable())
      throw std::invalid_argument(fmt::format("{} is fixed by the run; only {} may change when it goes on",
                                              setting.name, fmt::join(table.changeable_names(), ", ")));
    setting.apply(table);
  }
  const Working working(run->context_);
  use_threads(run->recipe_->options().threads);
  const std::filesystem::path kept = run->folder_.kept_weights();
  if (std::filesystem::exists(kept))
    run->recipe_->weights_lie_at(kept.string());
  else if (access == Access::kUse)
    run->recipe_->weights_lie_at("");  // the checkpoint holds them all
  run->load(run->folder_.reopen(access));
  return run;
}

void Run::make_learner() {
  learner_ = recipe_->make_learner([this](const TrainingStep& step) { watch(step); });
}

void Run::require_room() const {
  const Memory* memory = learner_->memory();
  if (memory == nullptr || stream_->size() == 0) return;
  const Stream::Part& first = stream_->parts().front();
  const Samples one = first.source->get(std::vector<int64_t>{first.task.rows.at(0)});
  if (learner_->wanted() > 0 && memory->capacity(one) == 0)
    throw std::invalid_argument(
        fmt::format("memory: {} holds no sample ({} bytes each); `finetune` learns without",
                    memory->budget().text(), one.bytes()));
}

// The tasks of earlier updates have passed; behind them come those of the data that arrive now.
void Run::arrive() {
  Arrival arrival = recipe_->arrive(progress_);
  task_sizes_.resize(static_cast<size_t>(first_task_));
  stream_.emplace();
  for (const int64_t size : task_sizes_) stream_->grow_passed(size);
  for (const Task& task : arrival.tasks) task_sizes_.push_back(std::ssize(task.rows));
  stream_->grow(arrival.source, std::move(arrival.tasks));
  traits_ = std::move(arrival.traits);
  warning_ = std::move(arrival.warning);
  position_ = stream_->position();
}

void Run::warn() const {
  if (!warning_.empty()) log_warning(warning_);
}

// After open(): the data again, checked to be what they were, and the stream where it stood.
void Run::prepare() {
  shown_at_ = steady_seconds();
  if (stream_) return;
  const std::vector<Trait> expected = traits_;
  const int64_t position = position_;
  try {
    arrive();
  } catch (const Error& e) {
    if (std::filesystem::exists(e.context().path)) throw;
    Error::Context context = e.context();
    context.found += fmt::format(
        " (`perennial resume {} --data ...` says where moved data lie, --stream and --noise where files of "
        "theirs)",
        folder().string());
    throw Error(context);
  }
  for (size_t i = 0; i < std::min(expected.size(), traits_.size()); ++i)
    if (expected[i].value != 0 && traits_[i].value != expected[i].value)
      throw Error({"resuming the run", recipe_->data(), "the data that it began with", traits_[i].otherwise});
  stream_->seek(position);
}

void Run::begin_update(const Settings& data) {
  const Working working(context_);
  if (!finished_)
    throw Error({"updating the run", folder().string(), "a finished run",
                 "one that stopped (use `perennial resume` first)"});
  const double began = steady_seconds();
  recipe_->update(data, folder());
  first_task_ = task_;
  arrive();
  ++update_;
  finished_ = false;
  begun_ = !recipe_->schedule().before;
  update_seconds_ = steady_seconds() - began;
  warn();
  log_info(fmt::format("update {} with {}: {} samples", update_, recipe_->data(),
                       stream_->size() - stream_->position()));
  checkpoint();
}

void Run::execute() {
  if (finished_) return;
  const Working working(context_);
  folder_.require_lock();
  prepare();
  const double began = steady_seconds(), before = update_seconds_;
  while (!finished_) {
    update_seconds_ = before + steady_seconds() - began;
    try {
      if (progress_.stop_requested()) throw Interrupted{};
      step();
    } catch (const Interrupted&) {
      checkpoint();
      throw Interrupted{"the checkpoint is written; go on with `perennial resume " + folder().string() + "`"};
    }
    if (!finished_ && steady_seconds() - last_checkpoint_ >= recipe_->options().checkpoint_seconds)
      checkpoint();
  }
  write_results();
  write_file_atomic(folder() / "report.html", report_html(folder()));
  checkpoint();
}

// The next thing to do. Whatever can be interrupted does nothing else: it is done again, or goes on.
void Run::step() {
  if (!begun_)
    measure_before();
  else if (interval_due())
    measure_interval();
  else if (measuring_)
    measure_piece();
  else if (consolidating_)
    consolidate_piece();
  else if (stream_->finished())
    finish();
  else
    observe_next();
}

void Run::finish() {
  finished_ = true;
  log_info("finished");
}

void Run::measure_before() {
  const Measurement m = measure();
  recipe_->update_begins(*learner_, m);
  measured_epochs_ = epochs_;
  begun_ = true;
}

std::string Run::task_title() const {
  return update_ > 0 ? fmt::format("update {}", update_)
                     : fmt::format("task {}/{}", task_ + 1, stream_->tasks());
}

// To the learner, once in a process: what the task's samples are and where they can be had again.
void Run::hand_over_task() {
  if (handed_over_ == task_) return;
  const Stream::Part& part = stream_->parts().at(static_cast<size_t>(task_));
  learner_->task_data(part.source, part.task.rows);
  handed_over_ = task_;
}

void Run::observe_next() {
  hand_over_task();
  const int64_t left = stream_->left_in_task(), wanted = learner_->wanted();
  if (wanted == 0) {
    stream_->seek(stream_->position() + left);
    consolidating_ = true;
    return;
  }
  if (!passing_) passing_.emplace(progress_, task_title() + ": stream", left);
  const Batch batch = stream_->next(wanted);
  recipe_->observe(batch.samples);
  learner_->observe(batch.samples);
  progress_.advance(batch.samples.size());
  peak_candidate_bytes_ = std::max(peak_candidate_bytes_, learner_->candidate_bytes());
  if (batch.samples.size() == left) {
    consolidating_ = true;
    passing_.reset();
  }
}

bool Run::interval_due() const {
  const int64_t every = recipe_->schedule().every_samples;
  return every > 0 && samples_seen() / every > measured_samples_ / every;
}

void Run::measure_interval() {
  const Measurement m = measure();
  add_point(m);
  scalar(recipe_->headline() + "/interval", m.headline());
  show(m);
  scalar("samples_per_second", static_cast<double>(samples_seen()) / wall_seconds());
  measured_samples_ = samples_seen();
}

void Run::add_point(const Measurement& m) {
  metrics_.add_point(m, samples_seen(), task_, recipe_->schedule().over_epochs ? epochs_ : 0);
}

void Run::consolidate_piece() {
  hand_over_task();
  if (!consolidation_) consolidation_.emplace(progress_, task_title(), learner_->pieces(), piece_);
  const bool trains = piece_ < learner_->pieces() && learner_->epoch_of(piece_) > 0;
  more_pieces_ = learner_->consolidate(progress_);
  if (trains) ++epochs_;
  measuring_ = true;
  progress_.advance(1);
}

void Run::measure_piece() {
  const Schedule schedule = recipe_->schedule();
  const int64_t pieces = learner_->pieces(), every = schedule.every_epochs;
  const int64_t epoch = piece_ < pieces ? learner_->epoch_of(piece_) : 0;
  const bool best = schedule.best_epoch && update_ == 0 && epoch > 0;
  const bool due = every > 0 && epochs_ / every > measured_epochs_ / every && more_pieces_;
  if (best || due || !more_pieces_) {
    const Measurement m = measure();
    int64_t epochs = 0;
    for (int64_t i = 0; i < pieces; ++i) epochs = std::max(epochs, learner_->epoch_of(i));
    if (best) metrics_.add_epoch(m, task_, epoch, epochs);
    if (due || (schedule.over_epochs && !more_pieces_)) measure_epoch(m);
    if (!more_pieces_) finish_task(m);
  }
  ++piece_;
  if (!more_pieces_) piece_ = 0;
  measuring_ = false;
}

// A point of the curve over epochs.
void Run::measure_epoch(const Measurement& m) {
  measured_epochs_ = epochs_;
  if (!std::isfinite(m.headline())) return;
  add_point(m);
  if (more_pieces_) show(m);
  tell(fmt::format("epoch {}: {}", epochs_, text_of(m)));
}

std::string Run::text_of(const Measurement& m) const {
  std::string out;
  for (const auto* scores : {&m.notes, &m.scores})
    for (const Score& score : *scores) {
      std::string name = score.name;
      std::replace(name.begin(), name.end(), '_', ' ');
      out += (out.empty() ? "" : ", ") + (scores == &m.notes
                                              ? fmt::format("{} {:.4f}", name, score.value)
                                              : fmt::format("{} {:.2f} %", name, 100 * score.value));
    }
  return out;
}

void Run::finish_task(const Measurement& m) {
  consolidation_.reset();
  consolidating_ = false;
  metrics_.add_task(m, samples_seen());
  recipe_->task_ended(*learner_, m, update_seconds_);
  scalar(recipe_->headline() + "/task", m.headline());
  show(m);
  const Memory* memory = learner_->memory();
  const int64_t kept = memory == nullptr ? 0 : memory->size();
  scalar("memory/samples", static_cast<double>(kept));
  const std::string title = task_title();
  ++task_;
  tell(fmt::format("{}: {}, {} in memory", title,
                   std::isfinite(m.headline()) ? text_of(m) + " on all that has arrived"
                                               : "nothing of what has arrived is held out to measure on",
                   kept));
  if (update_ > 0) record_update(m);
  if (!stream_->finished()) write_results();
}

void Run::record_update(const Measurement& m) {
  const double own = m.per_task.empty() ? NAN : m.per_task.back();
  nlohmann::json record = recipe_->update_record();
  record["data"] = recipe_->data();
  record["samples"] = task_sizes_.back();
  record[recipe_->headline()] = std::isfinite(own) ? nlohmann::json(own) : nullptr;
  record["seconds"] = update_seconds_;
  metrics_.add_update(std::move(record));
}

void Run::tell(const std::string& line) {
  progress_.note(line);
  log_info(line);
}

Measurement Run::measure() {
  const double began = steady_seconds();
  Measurement m = recipe_->measure(*learner_, progress_);
  evaluation_seconds_ += steady_seconds() - began;
  shown_at_ += steady_seconds() - began;
  ++metrics_.evaluations;
  return m;
}

double Run::wall_seconds() const { return earlier_seconds_ + steady_seconds() - started_; }

}  // namespace perennial
