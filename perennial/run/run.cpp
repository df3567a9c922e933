#include "perennial/run/run.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "perennial/base/bytes.h"
#include "perennial/base/clock.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/log.h"
#include "perennial/base/version.h"
#include "perennial/io/toml.h"
#include "perennial/memory/memory.h"
#include "perennial/nn/device.h"
#include "perennial/run/report.h"

namespace perennial {
namespace {

using nlohmann::json;

/// The options as values, without those that may change when a run goes on.
json fixed_options(const OptionTable& table) {
  json out = json::object();
  for (const Option& option : table.options())
    if (!option.is_changeable()) out[option.name()] = option.get();
  return out;
}

/// A saved configuration must be the one in config.toml: Error names the option. Options that came after the
/// checkpoint was written have their defaults.
void require_same_options(const json& saved, const json& own, const std::string& source) {
  for (const auto& [name, value] : own.items())
    if (saved.contains(name) && saved[name] != value)
      throw Error({"reading the checkpoint", source,
                   fmt::format("{} = {} as in config.toml", name, value.dump()), saved[name].dump()});
}

}  // namespace

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
  run->at_.begun = !run->recipe_->schedule().before;
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
  task_sizes_.resize(static_cast<size_t>(at_.first_task));
  stream_.emplace();
  for (const int64_t size : task_sizes_) stream_->grow_passed(size);
  for (const Task& task : arrival.tasks) task_sizes_.push_back(std::ssize(task.rows));
  stream_->grow(arrival.source, std::move(arrival.tasks));
  traits_ = std::move(arrival.traits);
  warning_ = std::move(arrival.warning);
  at_.samples = stream_->position();
}

void Run::warn() const {
  if (!warning_.empty()) log_warning(warning_);
}

// After open(): the data again, checked to be what they were, and the stream where it stood.
void Run::prepare() {
  shown_at_ = steady_seconds();
  if (stream_) return;
  const std::vector<Trait> expected = traits_;
  const int64_t position = at_.samples;
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
  if (!at_.finished)
    throw Error({"updating the run", folder().string(), "a finished run",
                 "one that stopped (use `perennial resume` first)"});
  const double began = steady_seconds();
  recipe_->update(data, folder());
  at_.first_task = at_.task;
  arrive();
  ++at_.update;
  at_.finished = false;
  at_.begun = !recipe_->schedule().before;
  update_seconds_ = steady_seconds() - began;
  warn();
  log_info(fmt::format("update {} with {}: {} samples", at_.update, recipe_->data(),
                       stream_->size() - stream_->position()));
  checkpoint();
}

void Run::execute() {
  if (at_.finished) return;
  const Working working(context_);
  folder_.require_lock();
  prepare();
  const double began = steady_seconds(), before = update_seconds_;
  while (!at_.finished) {
    update_seconds_ = before + steady_seconds() - began;
    try {
      if (progress_.stop_requested()) throw Interrupted{};
      step();
    } catch (const Interrupted&) {
      checkpoint();
      throw Interrupted{"the checkpoint is written; go on with `perennial resume " + folder().string() + "`"};
    }
    if (!at_.finished && steady_seconds() - last_checkpoint_ >= recipe_->options().checkpoint_seconds)
      checkpoint();
  }
  write_results();
  write_file_atomic(folder() / "report.html", report_html(folder()));
  checkpoint();
}

// The next thing to do. Whatever can be interrupted does nothing else: it is done again, or goes on.
void Run::step() {
  if (!at_.begun)
    measure_before();
  else if (interval_due())
    measure_interval();
  else if (at_.measuring)
    measure_piece();
  else if (at_.consolidating)
    consolidate_piece();
  else if (stream_->finished())
    finish();
  else
    observe_next();
}

void Run::finish() {
  at_.finished = true;
  log_info("finished");
}

void Run::measure_before() {
  const Measurement m = measure();
  recipe_->update_begins(*learner_, m);
  at_.measured_epochs = at_.epochs;
  at_.begun = true;
}

std::string Run::task_title() const {
  return at_.update > 0 ? fmt::format("update {}", at_.update)
                        : fmt::format("task {}/{}", at_.task + 1, stream_->tasks());
}

// To the learner, once in a process: what the task's samples are and where they can be had again.
void Run::hand_over_task() {
  if (handed_over_ == at_.task) return;
  const Stream::Part& part = stream_->parts().at(static_cast<size_t>(at_.task));
  learner_->task_data(part.source, part.task.rows);
  handed_over_ = at_.task;
}

void Run::observe_next() {
  hand_over_task();
  const int64_t left = stream_->left_in_task(), wanted = learner_->wanted();
  if (wanted == 0) {
    stream_->seek(stream_->position() + left);
    at_.consolidating = true;
    return;
  }
  if (!passing_) passing_.emplace(progress_, task_title() + ": stream", left);
  const Batch batch = stream_->next(wanted);
  recipe_->observe(batch.samples);
  learner_->observe(batch.samples);
  progress_.advance(batch.samples.size());
  peak_candidate_bytes_ = std::max(peak_candidate_bytes_, learner_->candidate_bytes());
  if (batch.samples.size() == left) {
    at_.consolidating = true;
    passing_.reset();
  }
}

bool Run::interval_due() const {
  const int64_t every = recipe_->schedule().every_samples;
  return every > 0 && samples_seen() / every > at_.measured_samples / every;
}

void Run::measure_interval() {
  const Measurement m = measure();
  add_point(m);
  scalar(recipe_->headline() + "/interval", m.headline());
  show(m);
  scalar("samples_per_second", static_cast<double>(samples_seen()) / wall_seconds());
  at_.measured_samples = samples_seen();
}

void Run::add_point(const Measurement& m) {
  metrics_.add_point(m, samples_seen(), at_.task, recipe_->schedule().over_epochs ? at_.epochs : 0);
}

void Run::consolidate_piece() {
  hand_over_task();
  if (!consolidation_) consolidation_.emplace(progress_, task_title(), learner_->pieces(), at_.piece);
  const bool trains = at_.piece < learner_->pieces() && learner_->epoch_of(at_.piece) > 0;
  at_.more_pieces = learner_->consolidate(progress_);
  if (trains) ++at_.epochs;
  at_.measuring = true;
  progress_.advance(1);
}

void Run::measure_piece() {
  const Schedule schedule = recipe_->schedule();
  const int64_t pieces = learner_->pieces(), every = schedule.every_epochs;
  const int64_t epoch = at_.piece < pieces ? learner_->epoch_of(at_.piece) : 0;
  const bool best = schedule.best_epoch && at_.update == 0 && epoch > 0;
  const bool due = every > 0 && at_.epochs / every > at_.measured_epochs / every && at_.more_pieces;
  if (best || due || !at_.more_pieces) {
    const Measurement m = measure();
    int64_t epochs = 0;
    for (int64_t i = 0; i < pieces; ++i) epochs = std::max(epochs, learner_->epoch_of(i));
    if (best) metrics_.add_epoch(m, at_.task, epoch, epochs);
    if (due || (schedule.over_epochs && !at_.more_pieces)) measure_epoch(m);
    if (!at_.more_pieces) finish_task(m);
  }
  ++at_.piece;
  if (!at_.more_pieces) at_.piece = 0;
  at_.measuring = false;
}

// A point of the curve over epochs.
void Run::measure_epoch(const Measurement& m) {
  at_.measured_epochs = at_.epochs;
  if (!std::isfinite(m.headline())) return;
  add_point(m);
  if (at_.more_pieces) show(m);
  tell(fmt::format("epoch {}: {}", at_.epochs, text_of(m)));
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
  at_.consolidating = false;
  metrics_.add_task(m, samples_seen());
  recipe_->task_ended(*learner_, m, update_seconds_);
  scalar(recipe_->headline() + "/task", m.headline());
  show(m);
  const Memory* memory = learner_->memory();
  const int64_t kept = memory == nullptr ? 0 : memory->size();
  scalar("memory/samples", static_cast<double>(kept));
  const std::string title = task_title();
  ++at_.task;
  tell(fmt::format("{}: {}, {} in memory", title,
                   std::isfinite(m.headline()) ? text_of(m) + " on all that has arrived"
                                               : "nothing of what has arrived is held out to measure on",
                   kept));
  if (at_.update > 0) record_update(m);
  if (!stream_->finished()) write_results();
}

void Run::record_update(const Measurement& m) {
  const double own = m.per_task.empty() ? NAN : m.per_task.back();
  json record = recipe_->update_record();
  record["data"] = recipe_->data();
  record["samples"] = task_sizes_.back();
  record[recipe_->headline()] = std::isfinite(own) ? json(own) : nullptr;
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

void Run::scalar(const std::string& tag, double value) {
  if (std::isfinite(value)) folder_.scalar(tag, now(), value);
}

void Run::picture(const std::string& tag, const Image& image) { folder_.picture(tag, now(), image); }

// The training stands over its steps.
void Run::watch(const TrainingStep& step) {
  ++unseen_steps_;
  if (step.step % recipe_->schedule().steps_shown != 0) return;
  const double time = steady_seconds();
  folder_.scalar("train/loss", step.step, step.loss);
  folder_.scalar("train/lr", step.step, step.lr);
  folder_.scalar("train/steps_per_second", step.step,
                 static_cast<double>(unseen_steps_) / std::max(1e-6, time - shown_at_));
  unseen_steps_ = 0;
  shown_at_ = time;
}

void Run::show(const Measurement& m) { recipe_->show(*this, m, *learner_); }

void Run::show_results(const nlohmann::json& metrics) {
  scalar("samples_per_second", metrics.at("samples_per_second").get<double>());
  if (const auto lost = metrics_.forgetting()) scalar("forgetting", *lost);
  recipe_->show_task(*this, *learner_);
}

void Run::checkpoint() {
  folder_.checkpoint(save());
  last_checkpoint_ = steady_seconds();
}

State Run::save() const {
  State state;
  json& v = state.values;
  v["format"] = kFormat;
  v["options"] = fixed_options(recipe_->table());
  v["task_sizes"] = task_sizes_;
  v["traits"] = json::array();
  for (const Trait& trait : traits_) v["traits"].push_back(trait.value);
  Position at = at_;
  at.samples = samples_seen();
  at.save(v);
  v["peak_candidate_bytes"] = peak_candidate_bytes_;
  v["evaluation_seconds"] = evaluation_seconds_;
  v["wall_seconds"] = wall_seconds();
  v["update_seconds"] = update_seconds_;
  v["metrics"] = metrics_.save();
  recipe_->save(state);
  learner_->save(state, "learner.");
  return state;
}

void Run::load(State state) {
  try {
    json& v = state.values;
    require_same_options(v.at("options"), fixed_options(recipe_->table()), state.source);
    if (!v.contains("format")) recipe_->upgrade(state);
    if (v.value("format", kFormat) > kFormat)
      throw Error({"reading the checkpoint", state.source, "a run of this version of perennial or an older",
                   "one of a newer version, which reads it"});
    v.at("task_sizes").get_to(task_sizes_);
    traits_.clear();
    for (const auto& value : v.at("traits")) traits_.push_back({"", value.get<uint64_t>()});
    at_.load(v);
    v.at("peak_candidate_bytes").get_to(peak_candidate_bytes_);
    v.at("evaluation_seconds").get_to(evaluation_seconds_);
    v.at("wall_seconds").get_to(earlier_seconds_);
    v.at("update_seconds").get_to(update_seconds_);
    metrics_.load(v.at("metrics"));
    if (at_.first_task < 0 || at_.task < at_.first_task ||
        static_cast<size_t>(at_.first_task) > task_sizes_.size())
      throw Error({"reading the checkpoint", state.source, "tasks in order", "others"});
    recipe_->load(state);
  } catch (const json::exception& e) {
    throw Error({"reading the checkpoint", state.source, "what this version of perennial writes", e.what()});
  }
  make_learner();
  learner_->load(state, "learner.");
}

json Run::metrics_json() const {
  const Context::Use use(context_);
  json out = metrics_.to_json(recipe_->joint());
  out["task"] = task_of_recipe();
  out["seed"] = recipe_->options().seed;
  out["finished"] = at_.finished;
  out["version"] = version();
  out["commit"] = version_commit();
  out["samples_seen"] = samples_seen();
  out["epochs"] = at_.epochs;
  out["wall_seconds"] = wall_seconds();
  out["samples_per_second"] = static_cast<double>(samples_seen()) / std::max(1e-9, wall_seconds());
  out["peak_rss_bytes"] = peak_resident_bytes();
  out["candidate_bytes"] = peak_candidate_bytes_;
  out["phases"] = learner_->seconds();
  out["phases"]["evaluation"] = evaluation_seconds_;
  const Memory* memory = learner_->memory();
  out["memory_samples"] = memory ? memory->size() : 0;
  out["memory_bytes"] = memory ? memory->bytes() : 0;
  recipe_->describe(out, *learner_);
  return out;
}

void Run::write_results() {
  recipe_->write(folder(), *learner_);
  const json metrics = metrics_json();
  show_results(metrics);
  write_file_atomic(folder() / "metrics.json",
                    metrics.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
  write_file_atomic(folder() / "metrics.csv", metrics_.to_csv());
}

}  // namespace perennial
