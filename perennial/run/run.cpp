#include "perennial/run/run.h"

#include <algorithm>
#include <cmath>

#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "perennial/base/clock.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/log.h"
#include "perennial/base/random.h"
#include "perennial/data/split_files.h"
#include "perennial/io/weights.h"
#include "perennial/memory/memory.h"
#include "perennial/nn/backbone.h"
#include "perennial/nn/device.h"
#include "perennial/run/features.h"
#include "perennial/run/places.h"

namespace perennial {
namespace {

void name_from_root(RunConfig& config) {
  config.data.source = source_from_root("data", config.data.source);
  config.stream.kind = source_from_root("stream", config.stream.kind);
  config.stream.noise = source_from_root("noise", config.stream.noise);
  config.model.weights = path_from_root("weights", config.model.weights);
}

// What can be refused without the data.
void require_possible(const RunConfig& config) {
  require_device(config.compute);
  if (!config.model.weights.empty()) read_weights(config.model.weights);
  if (const std::string place = place_in(config.stream.kind, "splits"); !place.empty())
    split_task_files(place);
  if (const std::string file = place_in(config.stream.noise, "file");
      !file.empty() && !std::filesystem::exists(file))
    throw Error({"reading labels", file, "a file", "none"});
}

std::string_view bytes_of(const at::Tensor& t) {
  return {static_cast<const char*>(t.const_data_ptr()), t.nbytes()};
}

std::string_view bytes_of(const std::vector<int64_t>& v) {
  return {reinterpret_cast<const char*>(v.data()), v.size() * sizeof v[0]};
}

}  // namespace

Run::Run(std::unique_ptr<RunConfig> config, std::filesystem::path folder, Progress& progress)
    : ResumableRun(std::move(folder), progress),
      config_(std::move(config)),
      model_(config_->model),
      stream_options_(config_->stream),
      chunk_data_(config_->data) {
  use_threads(config_->threads);
}

void Run::load_source(const DataOptions& options) {
  DataOptions wanted = options;
  wanted.stretch = config_->data.stretch;
  if (wanted.size == 0 && !image_shape_.empty()) wanted.size = image_shape_[1];
  if (wanted.size == 0) wanted.size = preferred_image_size(config_->model.name);
  source_ = load_data(wanted, progress_);
  for (const auto& line : source_.skipped) progress_.note("skipped " + line);
  if (!image_shape_.empty())
    for (Dataset* set : {&source_.train, &source_.test}) set_channels(*set, image_shape_[0]);
  if (source_.train.size() == 0) throw Error({"loading the data", options.source, "train samples", "none"});
}

void Run::warn_of_no_test() const {
  if (source_.test.size() == 0)
    log_warning(fmt::format("{}: nothing is held out, no accuracy can be measured", chunk_data_.source));
}

// Classes known from earlier chunks keep their labels; new names are appended.
void Run::map_classes(DataSource& source) {
  std::vector<int64_t> label_of;
  for (const std::string& name : source.train.class_names) {
    const auto at = std::find(class_names_.begin(), class_names_.end(), name);
    label_of.push_back(at - class_names_.begin());
    if (at == class_names_.end()) class_names_.push_back(name);
  }
  for (Dataset* set : {&source.train, &source.test}) {
    for (auto* labels : {&set->labels, &set->true_labels})
      for (int64_t& label : *labels) label = label_of.at(label);
    set->class_names = class_names_;
  }
  seen_.resize(class_names_.size(), 0);
}

void Run::make_learner() {
  LearnerSetup setup{model_,
                     config_->compute,
                     config_->train,
                     MemoryBudget::parse(config_->memory),
                     image_shape_,
                     normalisation_,
                     is_digits_,
                     static_cast<int64_t>(class_names_.size()),
                     static_cast<uint64_t>(config_->seed),
                     [this](const TrainingStep& step) { watch(step); }};
  learner_ = find_method(config_->learner).make(setup, *config_->method);
}

void Run::require_room() const {
  const Memory* memory = learner_->memory();
  if (memory == nullptr) return;
  const Dataset& train = source_.train;
  const Samples one = train.take({0});
  if (memory->capacity(one) == 0)
    throw std::invalid_argument(
        fmt::format("memory: {} holds no sample ({} bytes each); `finetune` learns without", config_->memory,
                    one.bytes()));
}

void Run::make_stream() {
  StreamOptions options = stream_options_;
  const uint64_t seed = static_cast<uint64_t>(config_->seed) + static_cast<uint64_t>(chunk_) * 1000003;
  if (chunk_ > 0) {
    options = {};
    options.kind = "shuffled";
    options.tasks = 1;
  }
  apply_noise(options, seed, source_.train);
  stream_.emplace(source_.train, make_tasks(options, seed, source_.train));
}

// The data of the current chunk, and a stream over it at its beginning.
void Run::attach() {
  load_source(chunk_data_);
  map_classes(source_);
  const Dataset& train = source_.train;
  if (image_shape_.empty()) {
    image_shape_ = train.inputs.sizes().slice(1).vec();
    normalisation_ = train.normalisation;
    is_digits_ = train.is_digits;
  } else if (train.inputs.sizes().slice(1).vec() != image_shape_) {
    throw Error({"loading the data", chunk_data_.source,
                 fmt::format("images of shape {}", fmt::join(image_shape_, "x")),
                 fmt::format("{}", fmt::join(train.inputs.sizes().slice(1), "x"))});
  }
  pictures_ = train.inputs;
  content_hash_ = hash64(bytes_of(train.inputs), hash64(bytes_of(source_.test.inputs)));
  if (config_->model.freeze == "features") replace_by_features(*config_, model_, source_, progress_);
  make_stream();
  hash_data();
}

// From now on the run needs its own copy of the weights that it begins with, and not the user's file.
void Run::use_kept_weights() {
  if (model_.weights.empty() || !std::filesystem::exists(kept_weights())) return;
  model_.weights = kept_weights().string();
}

std::unique_ptr<Run> Run::create(std::unique_ptr<RunConfig> config, const std::filesystem::path& folder,
                                 Progress& progress) {
  name_from_root(*config);
  std::unique_ptr<Run> run(new Run(std::move(config), folder, progress));
  run->claim(write_toml(run->config_->table()));
  require_possible(*run->config_);
  run->attach();
  run->make_learner();
  run->require_room();
  run->metrics_ = Metrics(run->source_.train, run->stream_->tasks());
  run->begin(run->model_.weights);
  run->use_kept_weights();
  if (!run->model_.weights.empty()) run->make_learner();
  run->warn_of_no_test();
  log_info(fmt::format("{} on {}, {}", run->config_->learner, run->config_->data.source,
                       run->config_->stream.kind));
  return run;
}

std::unique_ptr<Run> Run::open(const std::filesystem::path& folder, const Settings& overrides,
                               Progress& progress, Access access) {
  const Settings settings = settings_of_run(folder, overrides, RunConfig::changeable());
  for (const Setting& setting : settings)
    if (setting.name == "task")
      throw Error({"opening the run", folder.string(), "a run of `perennial learn`",
                   "one of mattes (`perennial segment eval --weights RUN` measures it)"});
  std::unique_ptr<Run> run(new Run(make_config(settings), folder, progress));
  if (access == Access::kUse) run->model_.weights.clear();  // the checkpoint holds them all
  run->use_kept_weights();
  run->load(run->reopen(access));
  return run;
}

void Run::begin_update(const DataOptions& data) {
  if (!finished_)
    throw Error({"updating the run", folder_.string(), "a finished run",
                 "one that stopped (use `perennial resume` first)"});
  const double began = steady_seconds();
  samples_before_ += position_;
  position_ = measured_ = 0;
  ++chunk_;
  chunk_data_ = data;
  chunk_data_.source = source_from_root("data", data.source);
  task_ = 0;
  finished_ = consolidating_ = false;
  classes_before_ = static_cast<int64_t>(class_names_.size());
  attach();
  restart_chunk_clock(steady_seconds() - began);
  warn_of_no_test();
  log_info(fmt::format("update {} with {}: {} samples, {} new classes", chunk_, data.source, stream_->size(),
                       static_cast<int64_t>(class_names_.size()) - classes_before_));
  checkpoint();
}

void Run::find_at(const Settings& places) {
  for (const auto& [option, value, where] : places) {
    std::string* place = option == "data"                    ? &chunk_data_.source
                         : chunk_ == 0 && option == "stream" ? &stream_options_.kind
                         : chunk_ == 0 && option == "noise"  ? &stream_options_.noise
                                                             : nullptr;
    if (place == nullptr)
      throw std::invalid_argument(option +
                                  ": fixed by the run, and names nothing that could have been moved");
    *place = moved_source(option, *place, value);
  }
}

// After open(): the data again, checked to be what they were, and the stream where it stood.
void Run::prepare() {
  if (!stream_) attach_again();
  shown_at_ = steady_seconds();
}

void Run::attach_again() {
  const uint64_t expected = data_hash_, content = content_hash_;
  try {
    attach();
  } catch (const Error& e) {
    if (std::filesystem::exists(e.context().path)) throw;
    Error::Context context = e.context();
    context.found += fmt::format(
        " (`perennial resume {} --data ...` says where moved data lie, --stream and --noise where files of "
        "theirs)",
        folder_.string());
    throw Error(context);
  }
  std::string found;
  if (data_hash_ != expected)
    found = "other samples or labels";
  else if (content != 0 && content_hash_ != content)
    found = "the same names with other pictures, another test part or another order";
  if (!found.empty())
    throw Error({"resuming the run", chunk_data_.source, "the data that it began with", found});
  stream_->seek(position_);
}

// Of the pictures attach() has taken the hash, before features take their place.
void Run::hash_data() {
  data_hash_ = hash64(bytes_of(source_.train.ids), hash64(bytes_of(source_.train.labels)));
  for (const auto* numbers : {&source_.test.ids, &source_.test.labels})
    content_hash_ = hash64(bytes_of(*numbers), content_hash_);
  for (const Task& task : stream_->tasks()) content_hash_ = hash64(bytes_of(task.rows), content_hash_);
}

// The next thing to do. Whatever can be interrupted does nothing else: it is done again, or goes on.
void Run::step() {
  if (interval_due())
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

void Run::observe_next() {
  const int64_t left = stream_->left_in_task();
  if (!passing_)
    passing_.emplace(progress_, fmt::format("task {}/{}: stream", task_ + 1, stream_->tasks().size()), left);
  const Batch batch = stream_->next(learner_->wanted());
  for (const int64_t label : batch.samples.labels()) seen_[label] = 1;
  learner_->observe(batch.samples);
  position_ = stream_->position();
  progress_.advance(batch.samples.size());
  peak_candidate_bytes_ = std::max(peak_candidate_bytes_, learner_->candidate_bytes());
  if (batch.samples.size() == left) {
    consolidating_ = true;
    piece_ = 0;
    passing_.reset();
  }
}

bool Run::interval_due() const {
  const int64_t every = chunk_ == 0 ? config_->eval_every : 0;
  return every > 0 && position_ / every > measured_ / every;
}

void Run::measure_interval() {
  const Evaluation e = evaluate_now("interval");
  metrics_.add_point(e, position_, task_, seen_);
  scalar("accuracy/interval", samples_seen(), e.accuracy(seen_));
  show(e);
  scalar("samples_per_second", samples_seen(), static_cast<double>(samples_seen()) / wall_seconds());
  measured_ = position_;
}

void Run::consolidate_piece() {
  if (!consolidation_)
    consolidation_.emplace(progress_, fmt::format("task {}/{}", task_ + 1, stream_->tasks().size()),
                           learner_->pieces(), piece_);
  more_pieces_ = learner_->consolidate(progress_);
  measuring_ = true;
  progress_.advance(1);
}

void Run::measure_piece() {
  const int64_t epoch = piece_ < learner_->pieces() ? learner_->epoch_of(piece_) : 0;
  const bool every_epoch = config_->eval_best_epoch && chunk_ == 0 && epoch > 0;
  if (every_epoch || !more_pieces_) {
    const Evaluation e = evaluate_now(more_pieces_ ? "epoch" : "task");
    if (every_epoch) metrics_.add_epoch(e, task_, epoch, config_->train.epochs, seen_);
    if (!more_pieces_) finish_task(e);
  }
  ++piece_;
  measuring_ = false;
}

void Run::finish_task(const Evaluation& e) {
  consolidation_.reset();
  consolidating_ = false;
  const Memory* memory = learner_->memory();
  std::vector<int64_t> kept;
  if (memory != nullptr) kept.assign(memory->labels().begin(), memory->labels().end());
  const int64_t samples = samples_seen();
  if (chunk_ == 0) metrics_.add_task(e, samples, seen_, kept);
  scalar("accuracy/task", samples, e.accuracy(seen_));
  show(e);
  scalar("memory/samples", samples, static_cast<double>(kept.size()));
  ++task_;
  const double accuracy = e.accuracy(seen_);
  const std::string line = fmt::format(
      "task {}/{}: {}, {} in memory", task_, stream_->tasks().size(),
      std::isfinite(accuracy) ? fmt::format("accuracy {:.2f} % over the classes seen", 100 * accuracy)
                              : "no image of the classes seen is held out to measure the accuracy on",
      kept.size());
  progress_.note(line);
  log_info(line);
  if (chunk_ > 0)
    metrics_.add_update(e, class_names_,
                        {{"data", chunk_data_.source},
                         {"classes_added", std::vector<std::string>(class_names_.begin() + classes_before_,
                                                                    class_names_.end())},
                         {"samples", stream_->size()},
                         {"accuracy", std::isfinite(accuracy) ? nlohmann::json(accuracy) : nullptr},
                         {"seconds", chunk_seconds()}});
  if (!stream_->finished()) write_results();
}

void Run::finish() {
  finished_ = true;
  log_info("finished");
}

Evaluation Run::evaluate_now(const std::string& why) {
  const double began = steady_seconds();
  const ProgressPart part(progress_, "evaluating (" + why + ")", source_.test.size());
  Evaluation e = evaluate(*learner_, source_.test, static_cast<int64_t>(class_names_.size()),
                          config_->eval_batch, progress_);
  evaluation_seconds_ += steady_seconds() - began;
  shown_at_ += steady_seconds() - began;
  ++metrics_.evaluations;
  return e;
}

}  // namespace perennial
