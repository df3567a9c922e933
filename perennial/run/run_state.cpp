// The saved form of a run and the files it writes.
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/log.h"
#include "perennial/base/version.h"
#include "perennial/memory/memory.h"
#include "perennial/run/run.h"

namespace perennial {
namespace {

using nlohmann::json;

json describe(DataOptions options) {
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

}  // namespace

State Run::save() const {
  State state;
  json& v = state.values;
  v["options"] = fixed_options(config_->table(), RunConfig::changeable());
  v["class_names"] = class_names_;
  v["image_shape"] = image_shape_;
  v["mean"] = normalisation_.mean;
  v["std"] = normalisation_.std;
  v["is_digits"] = is_digits_;
  v["chunk"] = chunk_;
  v["chunk_data"] = describe(chunk_data_);
  v["task"] = task_;
  v["position"] = position_;
  v["samples_before"] = samples_before_;
  v["classes_before"] = classes_before_;
  v["consolidating"] = consolidating_;
  v["finished"] = finished_;
  v["piece"] = piece_;
  v["measuring"] = measuring_;
  v["more_pieces"] = more_pieces_;
  v["measured"] = measured_;
  v["seen"] = seen_;
  v["peak_candidate_bytes"] = peak_candidate_bytes_;
  v["evaluation_seconds"] = evaluation_seconds_;
  v["data_hash"] = data_hash_;
  v["content_hash"] = content_hash_;
  v["stream_lies"] = stream_options_.kind;
  v["noise_lies"] = stream_options_.noise;
  v["metrics"] = metrics_.save();
  v["true_labels"] = true_labels_;
  sheet_.save(state, "sheet.");
  learner_->save(state, "learner.");
  return state;
}

void Run::load(const State& state) {
  try {
    const json& v = state.values;
    require_same_options(v.at("options"), fixed_options(config_->table(), RunConfig::changeable()),
                         state.source);
    v.at("class_names").get_to(class_names_);
    v.at("image_shape").get_to(image_shape_);
    v.at("mean").get_to(normalisation_.mean);
    v.at("std").get_to(normalisation_.std);
    v.at("is_digits").get_to(is_digits_);
    v.at("chunk").get_to(chunk_);
    chunk_data_ = data_options(v.at("chunk_data"));
    v.at("task").get_to(task_);
    v.at("position").get_to(position_);
    v.at("samples_before").get_to(samples_before_);
    v.at("classes_before").get_to(classes_before_);
    v.at("consolidating").get_to(consolidating_);
    v.at("finished").get_to(finished_);
    v.at("piece").get_to(piece_);
    v.at("measuring").get_to(measuring_);
    v.at("more_pieces").get_to(more_pieces_);
    v.at("measured").get_to(measured_);
    v.at("seen").get_to(seen_);
    v.at("peak_candidate_bytes").get_to(peak_candidate_bytes_);
    v.at("evaluation_seconds").get_to(evaluation_seconds_);
    v.at("data_hash").get_to(data_hash_);
    content_hash_ = v.value("content_hash", uint64_t{0});
    stream_options_.kind = v.value("stream_lies", stream_options_.kind);
    stream_options_.noise = v.value("noise_lies", stream_options_.noise);
    metrics_.load(v.at("metrics"));
    if (v.contains("true_labels")) v["true_labels"].get_to(true_labels_);
  } catch (const json::exception& e) {
    throw Error({"reading the checkpoint", state.source, "what this version of perennial writes", e.what()});
  }
  sheet_.load(state, "sheet.");
  make_learner();
  learner_->load(state, "learner.");
}

json Run::metrics_json() const {
  json out = metrics_.to_json(config_->joint_accuracy);
  const Method& method = find_method(config_->learner);
  out["learner"] = method.name;
  out["learner_title"] = method.title;
  out["paper"] = method.paper;
  out["data"] = config_->data.source;
  out["stream"] = config_->stream.kind;
  out["model"] = config_->model.name;
  out["seed"] = config_->seed;
  out["as_released"] = config_->as_released;
  out["finished"] = finished_;
  out["version"] = version();
  out["commit"] = version_commit();
  const int64_t seen = samples_seen();
  out["samples_seen"] = seen;
  out["wall_seconds"] = wall_seconds();
  out["samples_per_second"] = static_cast<double>(seen) / std::max(1e-9, wall_seconds());
  out["peak_rss_bytes"] = peak_resident_bytes();
  out["candidate_bytes"] = peak_candidate_bytes_;
  out["phases"] = learner_->seconds();
  out["phases"]["evaluation"] = evaluation_seconds_;
  const Memory* memory = learner_->memory();
  out["memory_samples"] = memory ? memory->size() : 0;
  out["memory_bytes"] = memory ? memory->bytes() : 0;
  if (memory != nullptr && memory->size() > 0) out["memory"] = memory_json(*memory);
  return out;
}

json Run::memory_json(const Memory& memory) const {
  json entries = json::array();
  const auto labels = memory.labels();
  for (int64_t i = 0; i < memory.size(); ++i) {
    const int64_t id = memory.ids()[i];
    json entry{{"id", id}, {"label", labels[i]}};
    if (const auto t = true_labels_.find(id); t != true_labels_.end()) entry["true_label"] = t->second;
    if (!memory.scores().empty()) entry["uncertainty"] = memory.scores()[i];
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

// The data that the memory's samples came from may be those of an earlier update, which are gone.
void Run::keep_true_labels(const Memory& memory) {
  const auto known = std::move(true_labels_);
  true_labels_.clear();
  const Dataset& train = source_.train;
  std::unordered_map<int64_t, int64_t> given;
  for (size_t i = 0; i < train.true_labels.size(); ++i) given[train.ids[i]] = train.true_labels[i];
  for (const int64_t id : memory.ids()) {
    if (const auto now = given.find(id); now != given.end())
      true_labels_[id] = now->second;
    else if (const auto before = known.find(id); before != known.end())
      true_labels_[id] = before->second;
  }
}

void Run::write_results() {
  const Memory* memory = learner_->memory();
  if (memory != nullptr && memory->size() > 0) {
    keep_true_labels(*memory);
    sheet_.update(memory->samples(), pictures_, source_.train.ids);
    write_file_atomic(folder_ / "memory.png", encode_png(sheet_.picture()));
  }
  const json metrics = metrics_json();
  show_results(metrics);
  write_file_atomic(folder_ / "metrics.json",
                    metrics.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
  write_file_atomic(folder_ / "metrics.csv", metrics_.to_csv());
  TensorFile model = learner_->model();
  model.metadata["classes"] = json(class_names_).dump(-1, ' ', false, json::error_handler_t::replace);
  model.metadata["image"] = fmt::format("{}", fmt::join(image_shape_, ","));
  model.metadata["stretch"] = config_->data.stretch ? "true" : "false";
  write_safetensors(folder_ / "model.safetensors", model);
}

}  // namespace perennial
