#include "perennial/tasks/classify/format1.h"

#include <nlohmann/json.hpp>

#include "perennial/io/state.h"

namespace perennial {

using nlohmann::json;

void upgrade_format1(State& state, const ClassifyConfig& config) {
  json& v = state.values;
  const json old = v;
  const json& metrics = old.at("metrics");
  const int64_t chunk = old.at("chunk"), tasks = std::ssize(metrics.at("task_classes"));
  json& own = v["classify"] = json::object();
  for (const char* key : {"class_names", "image_shape", "mean", "std", "is_digits", "classes_before", "seen"})
    own[key] = old.at(key);
  own["data"] = old.at("chunk_data");
  own["stream_lies"] = old.value("stream_lies", config.stream.kind);
  own["noise_lies"] = old.value("noise_lies", config.stream.noise);
  own["true_labels"] = old.value("true_labels", json::array());
  own["last"] = {metrics.at("total"), metrics.at("correct"), metrics.at("confusion")};
  own["earlier"] = json::array();
  for (int64_t u = 0; u < chunk; ++u) {
    DataOptions data = config.data;
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
