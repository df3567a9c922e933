#include "perennial/tasks/classify/classify_recipe.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "perennial/base/bytes.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/log.h"
#include "perennial/base/outputs.h"
#include "perennial/base/places.h"
#include "perennial/base/random.h"
#include "perennial/data/shortcut.h"
#include "perennial/data/split_files.h"
#include "perennial/io/weights.h"
#include "perennial/memory/memory.h"
#include "perennial/nn/backbone.h"
#include "perennial/nn/device.h"
#include "perennial/tasks/classify/features.h"
#include "perennial/tasks/classify/format1.h"

namespace perennial {
namespace {

using nlohmann::json;

std::string_view bytes_of(const std::vector<int64_t>& v) {
  return {reinterpret_cast<const char*>(v.data()), v.size() * sizeof(int64_t)};
}

uint64_t hash_of_test(const Dataset& test, uint64_t hash_of_inputs) {
  return hash64(bytes_of(test.labels), hash64(bytes_of(test.ids), hash_of_inputs));
}

std::vector<int64_t> padded(std::vector<int64_t> row, size_t size) {
  row.resize(size, 0);
  return row;
}

}  // namespace

std::unique_ptr<Recipe> classify(const Settings& settings) {
  return std::make_unique<ClassifyRecipe>(make_config(settings));
}

RecipeKind classify_recipe() { return {"classify", classify, nullptr}; }

ClassifyRecipe::ClassifyRecipe(std::unique_ptr<ClassifyConfig> config) : config_(std::move(config)) {
  config_->data.source = source_from_root("data", config_->data.source);
  config_->stream.kind = source_from_root("stream", config_->stream.kind);
  config_->stream.noise = source_from_root("noise", config_->stream.noise);
  config_->model.weights = path_from_root("weights", config_->model.weights);
  model_ = config_->model;
  stream_ = config_->stream;
  data_ = config_->data;
}

Schedule ClassifyRecipe::schedule() const {
  return {.every_samples = config_->eval_every, .best_epoch = config_->eval_best_epoch};
}

std::string ClassifyRecipe::title() const {
  return fmt::format("{} on {}, {}", config_->learner, config_->data.source, config_->stream.kind);
}

void ClassifyRecipe::check() {
  require_device(config_->compute);
  warn_of_slow_type(config_->compute);
  if (!config_->model.weights.empty()) read_weights(config_->model.weights);
  if (const std::string place = place_in(config_->stream.kind, "splits"); !place.empty())
    split_task_files(place);
  if (const std::string file = place_in(config_->stream.noise, "file");
      !file.empty() && !std::filesystem::exists(file))
    throw Error({"reading labels", file, "a file", "none"});
}

void ClassifyRecipe::weights_lie_at(const std::string& file) {
  if (model_.weights.empty()) return;
  model_.weights = file;
  if (!file.empty() && model_.freeze != "none") frozen_hash_ = hash64(MappedFile(weights_file(file)).bytes());
}

void ClassifyRecipe::update(const Settings& settings, const std::filesystem::path& run) {
  DataOptions data;
  OptionTable table;
  data.bind(table);
  for (const Setting& setting : settings) setting.apply(table);
  if (const std::string place = place_in(data.source, "folder"); !place.empty())
    require_outside("RUN", run, place);
  data.source = source_from_root("data", data.source);
  earlier_.push_back({std::exchange(data_, data), test_hash_});
  classes_before_ = std::ssize(class_names_);
}

void ClassifyRecipe::find_at(const Settings& places) {
  const bool first = earlier_.empty();
  for (const auto& [option, value, where] : places) {
    std::string* place = option == "data"              ? &data_.source
                         : first && option == "stream" ? &stream_.kind
                         : first && option == "noise"  ? &stream_.noise
                                                       : nullptr;
    if (place == nullptr)
      throw std::invalid_argument(option +
                                  ": fixed by the run, and names nothing that could have been moved");
    *place = moved_source(option, *place, value);
  }
}

// In the size and with the channels that the run has begun with.
DataSource ClassifyRecipe::load(const DataOptions& options, Progress& progress) const {
  DataOptions wanted = options;
  wanted.stretch = config_->data.stretch;
  if (wanted.size == 0 && !image_shape_.empty()) wanted.size = image_shape_[1];
  if (wanted.size == 0) wanted.size = preferred_image_size(config_->model.name);
  DataSource source = load_data(wanted, progress);
  for (const auto& line : source.skipped) progress.note("skipped " + line);
  if (!image_shape_.empty())
    for (Dataset* set : {&source.train, &source.test}) set_channels(*set, image_shape_[0]);
  return source;
}

// Classes known from earlier data keep their labels; new names are appended to learn, and count for nothing
// in what is only measured on.
void ClassifyRecipe::map_classes(DataSource& source, bool to_learn) {
  std::vector<int64_t> label_of;
  for (const std::string& name : source.train.class_names) {
    const auto at = std::find(class_names_.begin(), class_names_.end(), name);
    const bool known = at != class_names_.end();
    label_of.push_back(known || to_learn ? at - class_names_.begin() : -1);
    if (!known && to_learn) class_names_.push_back(name);
  }
  for (Dataset* set : {&source.train, &source.test}) {
    for (auto* labels : {&set->labels, &set->true_labels})
      for (int64_t& label : *labels) label = label_of.at(static_cast<size_t>(label));
    set->class_names = class_names_;
  }
  seen_.resize(class_names_.size(), 0);
}

void ClassifyRecipe::take_form_of(const Dataset& train) {
  if (image_shape_.empty()) {
    image_shape_ = train.input_shape();
    normalisation_ = train.normalisation;
    is_digits_ = train.is_digits;
  } else if (train.input_shape() != image_shape_) {
    throw Error({"loading the data", data_.source,
                 fmt::format("images of shape {}", fmt::join(image_shape_, "x")),
                 fmt::format("{}", fmt::join(train.input_shape(), "x"))});
  }
}

// Of an update: one task in random order.
std::vector<Task> ClassifyRecipe::make_tasks_of(Dataset& train) const {
  StreamOptions options = stream_;
  if (!earlier_.empty()) {
    options = {};
    options.kind = "shuffled";
    options.tasks = 1;
  }
  const uint64_t seed = config_->seed() + earlier_.size() * 1000003;
  apply_noise(options, seed, train);
  return make_tasks(options, seed, train);
}

Arrival ClassifyRecipe::arrive(Progress& progress) {
  auto source = std::make_shared<DataSource>(load(data_, progress));
  // Settled once: what samples are called depends on it, and it may depend on the machine.
  data_.decode = source->train.files ? "demand" : "whole";
  if (source->train.size() == 0) throw Error({"loading the data", data_.source, "train samples", "none"});
  map_classes(*source, true);
  plant_shortcut(*source, progress);
  take_form_of(source->train);
  const uint64_t tested = source->test.hash(0);
  uint64_t content = source->train.hash(tested);
  test_hash_ = hash_of_test(source->test, tested);
  if (config_->model.freeze == "features") {
    pictures_ = std::make_shared<Dataset>(source->train);
    replace_by_features(*config_, model_, normalisation_, *source, progress);
  }
  std::vector<Task> tasks = make_tasks_of(source->train);
  const Dataset &train = source->train, &test = source->test;
  const uint64_t labels = hash64(bytes_of(train.ids), hash64(bytes_of(train.labels)));
  for (const auto* numbers : {&test.ids, &test.labels}) content = hash64(bytes_of(*numbers), content);
  for (const Task& task : tasks) content = hash64(bytes_of(task.rows), content);
  tests_.resize(earlier_.size());
  find_earlier_tests(progress);
  tests_.emplace_back(source, &test);
  source_ = source;
  truth_.arrived(train);
  const auto of_this = [&](const Brought& b) { return b.update == update_index(); };
  if (std::none_of(brought_.begin(), brought_.end(), of_this))
    for (const Task& task : tasks) {
      std::vector<int64_t> labels_of_task;
      for (const int64_t row : task.rows) labels_of_task.push_back(train.labels[static_cast<size_t>(row)]);
      brought_.push_back({update_index(), task.classes, count(labels_of_task)});
    }
  std::string warning;
  if (test.size() == 0)
    warning = fmt::format("{}: nothing is held out, no accuracy can be measured", data_.source);
  return {std::shared_ptr<const Source>(source, &train),
          std::move(tasks),
          {{"other samples or labels", labels},
           {"the same names with other pictures, another test part or another order", content}},
          std::move(warning)};
}

// In the data that the run begins with: an update's are as they are.
void ClassifyRecipe::plant_shortcut(DataSource& source, Progress& progress) {
  const Shortcut shortcut = Shortcut::parse(stream_.shortcut);
  shortcut_tests_ = nullptr;
  if (!shortcut.there() || !earlier_.empty()) return;
  set_channels(source.test, 3);
  const auto painted = [&](Dataset set, const Shortcut& which, Bears bears) {
    return with_shortcut(std::move(set), which, bears, config_->seed(), data_.memory_share);
  };
  source.train = painted(std::move(source.train), shortcut, Bears::kOwn);
  const Shortcut always{shortcut.form, 1};
  auto tests = std::make_shared<DataSource>();
  tests->train = painted(source.test, always, Bears::kOwn);
  tests->test = painted(source.test, always, Bears::kAnother);
  if (config_->model.freeze == "features")
    replace_by_features(*config_, model_, source.train.normalisation, *tests, progress);
  shortcut_tests_ = tests;
}

// What is held out of earlier data says what the model has forgotten.
void ClassifyRecipe::find_earlier_tests(Progress& progress) {
  for (size_t u = 0; u < earlier_.size(); ++u) {
    const auto& [data, hash] = earlier_[u];
    if (tests_[u] || data.source.empty()) continue;
    try {
      DataOptions options = data;
      options.test_only = true;
      auto source = std::make_shared<DataSource>(load(options, progress));
      map_classes(*source, false);
      if (hash != 0 && hash_of_test(source->test, source->test.hash(0)) != hash)
        throw Error({"reading its test part again", data.source, "what it was", "other samples or labels"});
      if (config_->model.freeze == "features")
        replace_by_features(*config_, model_, normalisation_, *source, progress);
      tests_[u] = std::shared_ptr<const Dataset>(source, &source->test);
    } catch (const Error& e) {
      log_warning(fmt::format("{} cannot be measured any more: {}", data.source, e.what()));
    }
  }
}

std::unique_ptr<Learner> ClassifyRecipe::make_learner(OnStep on_step) {
  const LearnerSetup setup{
      model_,          config_->compute,  config_->train, MemoryBudget::parse(config_->memory),
      image_shape_,    normalisation_,    is_digits_,     std::ssize(class_names_),
      config_->seed(), std::move(on_step)};
  return find_method(config_->learner).make(setup, *config_->method);
}

void ClassifyRecipe::observe(const Samples& batch) {
  for (const int64_t label : batch.labels()) seen_[static_cast<size_t>(label)] = 1;
}

// Of the stream's tasks their classes count, of an update all that it brought.
std::vector<char> ClassifyRecipe::seen_of(const Brought& task) const {
  if (task.update > 0) return seen_;
  std::vector<char> counted(class_names_.size(), 0);
  for (const int64_t c : task.classes) counted[static_cast<size_t>(c)] = seen_[static_cast<size_t>(c)];
  return counted;
}

Measurement ClassifyRecipe::measure(const Learner& learner, Progress& progress) {
  const int64_t labels = std::ssize(class_names_);
  int64_t images = 0;
  for (const auto& test : tests_) images += test ? test->size() : 0;
  const ProgressPart part(progress, "evaluating", images);
  std::vector<Evaluation> of_update;
  measured_ = {};
  for (const auto& test : tests_) {
    of_update.push_back(test ? evaluate(learner, *test, labels, config_->eval_batch, progress)
                             : Evaluation{});
    measured_.add(of_update.back());
  }
  Measurement m{{{"accuracy", measured_.accuracy(seen_)}}, {}};
  if (shortcut_tests_) {
    const auto accuracy = [&](const Dataset& set) {
      return evaluate(learner, set, labels, config_->eval_batch, progress).accuracy(seen_);
    };
    m.scores.push_back({"accuracy_with_shortcut", accuracy(shortcut_tests_->train)});
    m.scores.push_back({"accuracy_swapped_shortcut", accuracy(shortcut_tests_->test)});
  }
  for (const Brought& task : brought_) {
    const std::vector<char> counted = seen_of(task);
    const bool any = std::any_of(counted.begin(), counted.end(), [](char c) { return c != 0; });
    m.per_task.push_back(any ? of_update.at(static_cast<size_t>(task.update)).accuracy(counted) : NAN);
  }
  return m;
}

std::vector<int64_t> ClassifyRecipe::count(std::span<const int64_t> labels) const {
  std::vector<int64_t> counts(class_names_.size(), 0);
  for (const int64_t label : labels)
    if (label >= 0 && label < std::ssize(counts)) ++counts[static_cast<size_t>(label)];
  return counts;
}

void ClassifyRecipe::task_ended(const Learner& learner, const Measurement& /*measurement*/,
                                double /*seconds*/) {
  last_ = measured_;
  const Memory* memory = learner.memory();
  const auto ended =
      std::find_if(brought_.begin(), brought_.end(), [](const Brought& task) { return task.memory.empty(); });
  if (ended == brought_.end()) return;
  ended->memory = memory == nullptr || memory->size() == 0 ? count({}) : count(memory->labels());
  if (memory != nullptr) ended->purity = truth_.purity(*memory);
}

json ClassifyRecipe::update_record() const {
  return {{"classes_added",
           std::vector<std::string>(class_names_.begin() + classes_before_, class_names_.end())}};
}

void ClassifyRecipe::show(Board& board, const Measurement& m, const Learner& learner) const {
  Recipe::show(board, m, learner);
  const Memory* memory = learner.memory();
  if (memory == nullptr || memory->size() == 0) return;
  if (const auto purity = truth_.purity(*memory)) board.scalar("memory/purity", *purity);
  const std::vector<int64_t> counts = count(memory->labels());
  for (size_t c = 0; c < counts.size(); ++c)
    if (seen_[c] != 0) board.scalar("memory/class/" + class_names_[c], static_cast<double>(counts[c]));
}

void ClassifyRecipe::show_task(Board& board, const Learner& /*learner*/) const {
  constexpr int64_t kMostPictures = 250;
  if (!sheet_.empty()) board.picture("memory", sheet_.picture(kMostPictures));
}

std::string ClassifyRecipe::summary(const json& m) const {
  const auto text = [&](const char* key) { return m.at(key).get<std::string>(); };
  std::string out =
      fmt::format("{} on {} ({}): A_last {}, A_avg {}, F_last {}", text("learner_title"), text("data"),
                  text("stream"), percent(m["a_last"]), percent(m["a_avg"]), percent(m["f_last"]));
  if (m["memory_samples"].get<int64_t>() > 0)
    out += fmt::format(", memory {} samples = {}", m["memory_samples"].get<int64_t>(),
                       format_bytes(m["memory_bytes"]));
  out += fmt::format(", {:.1f} s\n", m["wall_seconds"].get<double>());
  for (const auto& update : m["updates"])
    out += fmt::format("update with {}: {} samples, {} new classes, accuracy {} on its test part, {:.1f} s\n",
                       update["data"].get<std::string>(), update["samples"].get<int64_t>(),
                       update["classes_added"].size(), percent(update["accuracy"]),
                       update["seconds"].get<double>());
  return out;
}

void ClassifyRecipe::save(State& state) const {
  json& v = state.values["classify"] = json::object();
  v["class_names"] = class_names_;
  v["classes_before"] = classes_before_;
  v["image_shape"] = image_shape_;
  v["mean"] = normalisation_.mean;
  v["std"] = normalisation_.std;
  v["is_digits"] = is_digits_;
  v["data"] = as_json(data_);
  v["earlier"] = json::array();
  v["earlier_tests"] = json::array();
  for (const Earlier& earlier : earlier_) {
    v["earlier"].push_back(as_json(earlier.data));
    v["earlier_tests"].push_back(earlier.test_hash);
  }
  v["test_hash"] = test_hash_;
  v["stream_lies"] = stream_.kind;
  v["noise_lies"] = stream_.noise;
  v["seen"] = seen_;
  v["frozen_hash"] = frozen_hash_;
  v["brought"] = json::array();
  for (const Brought& b : brought_)
    v["brought"].push_back(
        {b.update, b.classes, b.composition, b.memory, b.purity ? json(*b.purity) : json()});
  v["last"] = {last_.total, last_.correct, last_.confusion};
  v["true_labels"] = truth_.save();
  sheet_.save(state, "sheet.");
}

void ClassifyRecipe::load(const State& state) {
  const json& values = state.values;
  const json& v = values.at("classify");
  v.at("class_names").get_to(class_names_);
  v.at("classes_before").get_to(classes_before_);
  v.at("image_shape").get_to(image_shape_);
  v.at("mean").get_to(normalisation_.mean);
  v.at("std").get_to(normalisation_.std);
  v.at("is_digits").get_to(is_digits_);
  data_ = data_options(v.at("data"));
  earlier_.clear();
  for (const json& data : v.at("earlier")) earlier_.push_back({data_options(data)});
  const json hashes = v.value("earlier_tests", json::array());
  for (size_t u = 0; u < std::min(earlier_.size(), hashes.size()); ++u)
    hashes[u].get_to(earlier_[u].test_hash);
  test_hash_ = v.value("test_hash", uint64_t{0});
  v.at("stream_lies").get_to(stream_.kind);
  v.at("noise_lies").get_to(stream_.noise);
  v.at("seen").get_to(seen_);
  brought_.clear();
  for (const json& b : v.at("brought")) {
    brought_.push_back(
        {b.at(0), b.at(1), b.at(2).get<std::vector<int64_t>>(), b.at(3).get<std::vector<int64_t>>()});
    if (b.size() > 4 && b.at(4).is_number()) brought_.back().purity = b.at(4).get<double>();
  }
  v.at("last").at(0).get_to(last_.total);
  v.at("last").at(1).get_to(last_.correct);
  v.at("last").at(2).get_to(last_.confusion);
  truth_.load(v.at("true_labels"));
  require_whole(state.source);
  if (const uint64_t was = v.value("frozen_hash", uint64_t{0}); was != 0 && was != frozen_hash_)
    throw Error({"reading the checkpoint", state.source, "the frozen weights that the run keeps a copy of",
                 model_.weights.empty() ? "none" : "others in " + model_.weights});
  sheet_.load(state, "sheet.");
}

// What indexes what is saved beside it.
void ClassifyRecipe::require_whole(const std::string& source) const {
  const auto classes = std::ssize(class_names_);
  const auto is_class = [&](int64_t c) { return c >= 0 && c < classes; };
  bool good = std::ssize(seen_) == classes && classes_before_ >= 0 && classes_before_ <= classes &&
              image_shape_.size() == 3 && last_.correct.size() == last_.total.size() &&
              last_.confusion.size() == last_.total.size() && std::ssize(last_.total) <= classes;
  for (const Brought& b : brought_)
    good = good && b.update >= 0 && b.update <= update_index() &&
           std::all_of(b.classes.begin(), b.classes.end(), is_class);
  if (!good)
    throw Error({"reading the checkpoint", source, "classes, tasks and counts that fit together", "others"});
}

json ClassifyRecipe::memory_json(const Memory& memory, const Learner& learner) const {
  json entries = json::array();
  const auto verdicts = learner.verdicts();
  const auto labels = memory.labels();
  for (int64_t i = 0; i < memory.size(); ++i) {
    const auto row = static_cast<size_t>(i);
    const int64_t id = memory.ids()[row];
    json entry{{"id", id}, {"label", labels[row]}};
    if (const auto truth = truth_.of(id)) entry["true_label"] = *truth;
    if (const auto verdict = verdicts.find(id); verdict != verdicts.end()) entry["verdict"] = verdict->second;
    if (!memory.scores().empty()) entry["uncertainty"] = memory.scores()[row];
    entries.push_back(std::move(entry));
  }
  json out{{"samples", memory.size()},
           {"bytes", memory.bytes()},
           {"capacity", memory.capacity(memory.samples())},
           {"entries", std::move(entries)}};
  if (const auto purity = truth_.purity(memory)) {
    out["purity"] = *purity;
    out["noise"] = truth_.confusion(memory, class_names_.size());
  }
  if (memory.budget().bytes > 0) out["capacity_bytes"] = memory.budget().bytes;
  if (!sheet_.empty())
    out["sheet"] = {{"file", "memory.png"}, {"tile", sheet_.tile()}, {"columns", MemorySheet::kColumns}};
  return out;
}

void ClassifyRecipe::describe(json& out, const Learner& learner) const {
  const Method& method = find_method(config_->learner);
  const size_t classes = class_names_.size();
  out["learner"] = method.name;
  out["learner_title"] = method.title;
  out["paper"] = method.paper;
  out["data"] = config_->data.source;
  out["stream"] = config_->stream.kind;
  out["model"] = config_->model.name;
  out["as_released"] = config_->as_released;
  out["class_names"] = class_names_;
  for (const char* key : {"task_classes", "task_composition", "memory_history", "confusion"})
    out[key] = json::array();
  for (const Brought& task : brought_) {
    json names = json::array();
    for (const int64_t c : task.classes) names.push_back(class_names_[static_cast<size_t>(c)]);
    out["task_classes"].push_back(std::move(names));
    out["task_composition"].push_back(padded(task.composition, classes));
    if (!task.memory.empty()) out["memory_history"].push_back(padded(task.memory, classes));
    if (task.purity) out["memory_purity_history"].push_back(*task.purity);
  }
  out["per_class"] = json::object();
  for (size_t c = 0; c < last_.total.size(); ++c) {
    const double accuracy = last_.class_accuracy(static_cast<int64_t>(c));
    out["per_class"][class_names_[c]] = std::isfinite(accuracy) ? json(accuracy) : json(nullptr);
  }
  for (const auto& row : last_.confusion) out["confusion"].push_back(row);
  const Memory* memory = learner.memory();
  if (memory == nullptr || memory->size() == 0) return;
  out["memory"] = memory_json(*memory, learner);
  if (const auto purity = truth_.purity(*memory)) out["memory_purity"] = *purity;
}

void ClassifyRecipe::write(const std::filesystem::path& run, const Learner& learner) {
  const Memory* memory = learner.memory();
  if (memory != nullptr && memory->size() > 0) {
    truth_.keep(*memory);
    sheet_.update(memory->samples(), pictures_ ? pictures_.get() : source_ ? &source_->train : nullptr);
    write_file_atomic(run / "memory.png", encode_png(sheet_.picture()));
  }
  TensorFile model = learner.model();
  model.metadata["classes"] = json(class_names_).dump(-1, ' ', false, json::error_handler_t::replace);
  model.metadata["image"] = fmt::format("{}", fmt::join(image_shape_, ","));
  model.metadata["stretch"] = config_->data.stretch ? "true" : "false";
  write_safetensors(run / "model.safetensors", model);
}

void ClassifyRecipe::upgrade(State& state) const { upgrade_format1(state, *config_); }

}  // namespace perennial
