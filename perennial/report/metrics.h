#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace perennial::report {

/// Rows of numbers; a value that is not known yet (null in the file) is NaN.
using Table = std::vector<std::vector<double>>;

struct CurvePoint {
  int64_t samples = 0, task = 0;
  double accuracy = 0;           ///< the headline; NaN where nothing was held out
  std::vector<double> per_task;  ///< accuracy on each task's classes; NaN where not seen
};

struct BestEpoch {
  int64_t task = 0, epoch = 0, epochs = 0;
  double accuracy = 0;
};

struct MemoryEntry {
  int64_t id = 0, label = 0;
  std::optional<int64_t> true_label;
  std::optional<double> uncertainty;
  std::string verdict;  ///< "clean", "relabelled", "unlabelled"; or empty
};

/// Thumbnails of the memory's entries, row by row in one picture.
struct Sheet {
  std::string file;
  int64_t tile = 0, columns = 0;  ///< side of a thumbnail in pixels; thumbnails in a row
};

struct UpdateRecord {
  std::string data;
  std::vector<std::string> classes_added;
  std::optional<double> samples, accuracy, seconds;
};

/// "foreground iou" of "foreground_iou".
std::string spaced(std::string name);

/// What a run's metrics.json says, whatever it learned. Scores are fractions; what the file leaves out is
/// empty.
struct RunMetrics {
  std::filesystem::path folder;
  std::string learner, learner_title, paper, data, stream, model, version;
  std::string headline = "accuracy";  ///< the score that a_last to task_accuracy are of
  std::vector<std::pair<std::string, std::optional<double>>> scores;  ///< all, after the last task
  int64_t seed = 0;
  bool finished = false;
  std::vector<std::string> class_names;
  std::optional<double> a_last, a_avg, f_last, i_last, a_auc;
  Table accuracy_matrix;  ///< [tasks so far][tasks]
  std::vector<double> task_accuracy;
  std::vector<double> task_samples;  ///< samples that had arrived when each task so far ended
  std::vector<std::vector<std::string>> task_classes;
  Table task_composition;  ///< [tasks][classes], samples
  std::vector<std::pair<std::string, double>> per_class;
  Table confusion;  ///< [true class][predicted class], samples
  std::vector<CurvePoint> curve;
  std::vector<BestEpoch> best_epoch;
  std::vector<MemoryEntry> entries;
  std::optional<Sheet> sheet;
  std::optional<double> memory_samples, memory_bytes, memory_capacity, memory_capacity_bytes, candidate_bytes;
  std::optional<double> memory_purity;        ///< share of right labels, where the truth is known
  std::vector<double> memory_purity_history;  ///< the same after each task
  Table memory_history;                       ///< [tasks so far][classes], samples
  std::optional<double> samples_seen, samples_per_second, wall_seconds, peak_rss_bytes, test_evaluations;
  std::vector<std::pair<std::string, double>> phases;  ///< seconds
  std::vector<UpdateRecord> updates;
  std::string config;                              ///< config.toml as it stands; may be empty
  std::map<std::string, std::string> config_keys;  ///< "section.key" -> value, without quotes

  /// The headline in words: "foreground iou".
  std::string headline_name() const;
  int64_t tasks() const;
  int64_t tasks_done() const;
  int64_t classes() const;
  /// "cat", or "class 3" when the file names no classes.
  std::string class_name(int64_t label) const;
  /// Per task, the best accuracy before the last row minus the last row's (F_last is their mean over all
  /// tasks but the last); NaN where no earlier row knows the task. Negative: it improved.
  std::vector<double> forgetting() const;
  /// Samples that had arrived when each task ended, tasks to come included; numbers of tasks when the file
  /// does not say. At least one for each row of the accuracy matrix.
  std::vector<double> task_ends() const;
  bool over_epochs = false;  ///< the curve stands over epochs of training: points of a task have one place
  bool knows_samples() const { return !task_samples.empty() || !task_composition.empty() || !curve.empty(); }
  /// (samples, accuracy) over the stream, of everything or on the classes of one task: the points of the
  /// curve, and after each task the accuracy of the model it left. Both at a task's end: training there made
  /// the jump.
  std::vector<std::pair<double, double>> over_stream(std::optional<size_t> task = std::nullopt) const;
};

/// Reads run/metrics.json (and run/config.toml where there is one). The file is not trusted: a missing key, a
/// wrong type, a number out of range or a table of the wrong shape is an Error that names the key.
RunMetrics read_run_metrics(const std::filesystem::path& run);

}  // namespace perennial::report
