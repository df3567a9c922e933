#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

namespace perennial {

/// A run directory as the runner writes it: two tasks of two classes, a memory of four samples, one wrong
/// label.
class SampleRun {
 public:
  explicit SampleRun(std::filesystem::path where) : folder(std::move(where)), metrics(sample()) {
    std::filesystem::create_directories(folder);
    write(folder / "memory.png", png_of(16, 16));
    config("learner = \"rm\"\nseed = 1\n[rm]\nselection = \"rainbow\"\n");
  }

  const std::filesystem::path& save() const {
    write(folder / "metrics.json", metrics.dump());
    return folder;
  }
  void config(const std::string& toml) const { write(folder / "config.toml", toml); }

  /// Without waiting for the disk: the tests write many.
  static void write(const std::filesystem::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
  }

  /// The head of a PNG of that size; nothing in a report looks further.
  static std::string png_of(uint32_t width, uint32_t height) {
    std::string out("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
    for (const uint32_t side : {width, height})
      for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(side >> shift & 0xFF);
    return out + std::string(32, '\0');
  }

  static nlohmann::json sample() {
    return nlohmann::json::parse(R"({
      "learner": "rm", "learner_title": "Rainbow Memory", "paper": "Bang et al., CVPR 2021", "data": "digits",
      "stream": "blurry10", "task": "classify", "headline": "accuracy", "scores": {"accuracy": 0.7125}, "model": "mlp400", "seed": 1, "finished": true, "version": "0.1.0",
      "class_names": ["zero", "one", "two", "three"],
      "a_last": 0.7125, "a_avg": 0.8250, "f_last": 0.2500, "i_last": 0.0875, "a_auc": 0.6543,
      "accuracy_matrix": [[0.9, null], [0.65, 0.775]], "task_accuracy": [0.9, 0.7125],
      "task_classes": [["zero", "one"], ["two", "three"]],
      "task_composition": [[45, 45, 5, 5], [5, 5, 45, 45]],
      "per_class": {"zero": 0.5, "one": 0.8, "two": 0.95, "three": 0.6},
      "confusion": [[5, 5, 0, 0], [1, 8, 1, 0], [0, 0, 9, 1], [0, 4, 0, 6]],
      "curve": [{"samples": 50, "accuracy": 0.31, "task": 0, "per_task": [0.6, null]},
                {"samples": 100, "accuracy": 0.45, "task": 0, "per_task": [0.9, null]},
                {"samples": 200, "accuracy": 0.7125, "task": 1, "per_task": [0.65, 0.775]}],
      "best_epoch": [{"task": 0, "epoch": 3, "epochs": 16, "accuracy": 0.9234}],
      "memory": {"samples": 4, "bytes": 256, "capacity": 4, "capacity_bytes": 256,
        "entries": [{"id": 11, "label": 0, "true_label": 0, "uncertainty": 0.75},
                    {"id": 12, "label": 0, "true_label": 1, "uncertainty": 0.25},
                    {"id": 13, "label": 2, "true_label": 2, "uncertainty": 0.5},
                    {"id": 14, "label": 3}],
        "sheet": {"file": "memory.png", "tile": 8, "columns": 2}},
      "memory_samples": 4, "memory_bytes": 256, "candidate_bytes": 6400,
      "memory_history": [[2, 2, 0, 0], [1, 1, 1, 1]],
      "samples_seen": 200, "samples_per_second": 1234.5, "wall_seconds": 75.2, "peak_rss_bytes": 104857600,
      "test_evaluations": 2, "phases": {"stream": 5.5, "memory training": 60, "evaluation": 10},
      "updates": [{"data": "folder:more", "classes_added": ["four"], "samples": 30, "accuracy": 0.7, "seconds": 2.5}]
    })");
  }

  std::filesystem::path folder;
  nlohmann::json metrics;
};

}  // namespace perennial
