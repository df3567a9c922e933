// The saved form of ClassifyRecipe and the files it writes.
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/memory/memory.h"
#include "perennial/tasks/classify/classify_recipe.h"

namespace perennial {
namespace {

using nlohmann::json;

json as_json(DataOptions options) {
  OptionTable table;
  options.bind(table);
  json out = json::object();
  for (const Option& option : table.options()) out[option.name()] = option.get();
  return out;
}

DataOptions data_options(const json& saved) {
  DataOptions options;
  OptionTable table;
  options.bind(table);
  for (const auto& [name, value] : saved.items()) table.set(name, value.get<std::string>());
  return options;
}

std::vector<int64_t> padded(std::vector<int64_t> row, size_t size) {
  row.resize(size, 0);
  return row;
}

}  // namespace

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
  for (const DataOptions& data : earlier_) v["earlier"].push_back(as_json(data));
  v["stream_lies"] = stream_.kind;
  v["noise_lies"] = stream_.noise;
  v["seen"] = seen_;
  v["frozen_hash"] = frozen_hash_;
  v["brought"] = json::array();
  for (const Brought& b : brought_) v["brought"].push_back({b.update, b.classes, b.composition, b.memory});
  v["last"] = {last_.total, last_.correct, last_.confusion};
  v["true_labels"] = true_labels_;
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
  for (const json& data : v.at("earlier")) earlier_.push_back(data_options(data));
  v.at("stream_lies").get_to(stream_.kind);
  v.at("noise_lies").get_to(stream_.noise);
  v.at("seen").get_to(seen_);
  brought_.clear();
  for (const json& b : v.at("brought"))
    brought_.push_back(
        {b.at(0), b.at(1), b.at(2).get<std::vector<int64_t>>(), b.at(3).get<std::vector<int64_t>>()});
  v.at("last").at(0).get_to(last_.total);
  v.at("last").at(1).get_to(last_.correct);
  v.at("last").at(2).get_to(last_.confusion);
  v.at("true_labels").get_to(true_labels_);
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

json ClassifyRecipe::memory_json(const Memory& memory) const {
  json entries = json::array();
  const auto labels = memory.labels();
  for (int64_t i = 0; i < memory.size(); ++i) {
    const auto row = static_cast<size_t>(i);
    const int64_t id = memory.ids()[row];
    json entry{{"id", id}, {"label", labels[row]}};
    if (const auto t = true_labels_.find(id); t != true_labels_.end()) entry["true_label"] = t->second;
    if (!memory.scores().empty()) entry["uncertainty"] = memory.scores()[row];
    entries.push_back(std::move(entry));
  }
  json out{{"samples", memory.size()},
           {"bytes", memory.bytes()},
           {"capacity", memory.capacity(memory.samples())},
           {"entries", std::move(entries)}};
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
  }
  out["per_class"] = json::object();
  for (size_t c = 0; c < last_.total.size(); ++c) {
    const double accuracy = last_.class_accuracy(static_cast<int64_t>(c));
    out["per_class"][class_names_[c]] = std::isfinite(accuracy) ? json(accuracy) : json(nullptr);
  }
  for (const auto& row : last_.confusion) out["confusion"].push_back(row);
  const Memory* memory = learner.memory();
  if (memory != nullptr && memory->size() > 0) out["memory"] = memory_json(*memory);
}

// The data that the memory's samples came from may be those of an earlier update, which are gone.
void ClassifyRecipe::keep_true_labels(const Memory& memory) {
  const auto known = std::move(true_labels_);
  true_labels_.clear();
  std::unordered_map<int64_t, int64_t> given;
  if (source_) {
    const Dataset& train = source_->train;
    for (size_t i = 0; i < train.true_labels.size(); ++i) given[train.ids[i]] = train.true_labels[i];
  }
  for (const int64_t id : memory.ids()) {
    if (const auto now = given.find(id); now != given.end())
      true_labels_[id] = now->second;
    else if (const auto before = known.find(id); before != known.end())
      true_labels_[id] = before->second;
  }
}

void ClassifyRecipe::write(const std::filesystem::path& run, const Learner& learner) {
  const Memory* memory = learner.memory();
  if (memory != nullptr && memory->size() > 0) {
    keep_true_labels(*memory);
    sheet_.update(memory->samples(), pictures_ ? pictures_.get() : source_ ? &source_->train : nullptr);
    write_file_atomic(run / "memory.png", encode_png(sheet_.picture()));
  }
  TensorFile model = learner.model();
  model.metadata["classes"] = json(class_names_).dump(-1, ' ', false, json::error_handler_t::replace);
  model.metadata["image"] = fmt::format("{}", fmt::join(image_shape_, ","));
  model.metadata["stretch"] = config_->data.stretch ? "true" : "false";
  write_safetensors(run / "model.safetensors", model);
}

// Version 1 had the words of a run and of its data in one place, and an update was no task.
void ClassifyRecipe::upgrade(State& state) const {
  json& v = state.values;
  const json old = v;
  const json& metrics = old.at("metrics");
  const int64_t chunk = old.at("chunk"), tasks = std::ssize(metrics.at("task_classes"));
  json& own = v["classify"] = json::object();
  for (const char* key : {"class_names", "image_shape", "mean", "std", "is_digits", "classes_before", "seen"})
    own[key] = old.at(key);
  own["data"] = old.at("chunk_data");
  own["stream_lies"] = old.value("stream_lies", config_->stream.kind);
  own["noise_lies"] = old.value("noise_lies", config_->stream.noise);
  own["true_labels"] = old.value("true_labels", json::array());
  own["last"] = {metrics.at("total"), metrics.at("correct"), metrics.at("confusion")};
  own["earlier"] = json::array();
  for (int64_t u = 0; u < chunk; ++u) {
    DataOptions data = config_->data;
    if (u > 0) data.source = "";  // its options are not known
    own["earlier"].push_back(as_json(data));
  }
  own["brought"] = json::array();
  v["task_sizes"] = json::array();
  json &matrix = v["metrics"]["matrix"], &scores = v["metrics"]["task_scores"],
       &ends = v["metrics"]["task_samples"];
  scores = metrics.at("task_accuracy");
  int64_t end = 0;
  for (int64_t t = 0; t < tasks; ++t) {
    const auto counts = metrics.at("composition").at(static_cast<size_t>(t)).get<std::vector<int64_t>>();
    int64_t size = 0;
    for (const int64_t n : counts) size += n;
    end += size;
    v["task_sizes"].push_back(size);
    const json& history = metrics.at("memory_history");
    own["brought"].push_back({0, metrics.at("task_classes")[static_cast<size_t>(t)], counts,
                              t < std::ssize(history) ? history[static_cast<size_t>(t)] : json::array()});
  }
  for (const json& update : metrics.at("updates")) {
    const int64_t size = update.at("samples"), u = std::ssize(own["brought"]) - tasks + 1;
    v["task_sizes"].push_back(size);
    json row(static_cast<size_t>(tasks + u - 1), nullptr);
    row.push_back(update.at("accuracy"));
    matrix.push_back(row);
    scores.push_back(nullptr);
    ends.push_back(end += size);
    own["brought"].push_back({u, json::array(), json::array(), json::array({0})});
  }
  v["metrics"]["last"] = json::array();
  if (!scores.empty()) v["metrics"]["last"].push_back({"accuracy", scores.back()});
  v["update"] = chunk;
  v["first_task"] = chunk == 0 ? 0 : tasks + chunk - 1;
  v["task"] = v["first_task"].get<int64_t>() + old.at("task").get<int64_t>();
  v["position"] = old.at("samples_before").get<int64_t>() + old.at("position").get<int64_t>();
  v["measured_samples"] = chunk == 0 ? old.at("measured") : v["position"];
  v["epochs"] = v["measured_epochs"] = 0;
  v["begun"] = true;
  v["traits"] = {old.at("data_hash"), old.value("content_hash", uint64_t{0})};
  v["update_seconds"] = old.value("chunk_seconds", 0.0);
}

}  // namespace perennial
