#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "perennial/data/samples.h"

namespace perennial {

class OptionTable;
struct Dataset;

/// A part of a stream: rows of a dataset in the order they arrive, and the classes it is about.
struct Task {
  std::vector<int64_t> rows;
  std::vector<int64_t> classes;  ///< major classes; a task of a shuffled stream has all
};

struct StreamOptions {
  std::string kind = "blurry10";
  int64_t tasks = 5;
  std::string flavour = "paper";  ///< of blurry-M: paper | rm_files | rm_notebook
  std::string noise = "none";     ///< none | sym:R | asym:R | file:F
  std::string noise_pairs;  ///< asym: "cat-dog,deer-horse", "cat>dog", "cifar10"; empty: random pairs by seed
  bool file_order = false;  ///< of splits:DIR: as the files list them, not shuffled
  std::string class_order;  ///< comma-separated names; empty: random by seed
  int64_t limit = 0;        ///< at most this many samples in all, cut evenly from every task; 0: all

  /// Adds the options ("stream", "tasks", "noise", then "stream.flavour", ...).
  void bind(OptionTable& table);
  /// Throws std::invalid_argument for what cannot be: an unknown kind or noise, options that exclude each
  /// other. Needs no data, so that a wrong option is told before anything is loaded.
  void check() const;
};

/// Changes the labels of `dataset` as options.noise says, keeping the truth in true_labels. With splits:DIR
/// the labels are those of the split files (which hold their noise, so that options.noise must be none).
void apply_noise(const StreamOptions& options, uint64_t seed, Dataset& dataset);

/// What each class is taken for under asymmetric noise, itself where for nothing. `pairs` as in
/// StreamOptions::noise_pairs: "cat-dog" goes both ways, "cat>dog" one way, "cifar10" is the five one-way
/// flips of Patrini et al. (CVPR 2017): truck>automobile, bird>airplane, deer>horse, cat>dog, dog>cat; when
/// empty, random pairs by seed (an odd class out keeps its labels), as in the released files of PuriDivER
/// (Bang et al. 2022).
std::vector<int64_t> noise_partners(const std::string& pairs, uint64_t seed,
                                    const std::vector<std::string>& class_names);

/// Divides a dataset into tasks: disjoint | blurryM | iblurry-N-M | shuffled | recurring | splits:DIR.
/// Classes are those of the labels as they arrive, so apply noise first. Classes without a sample are left
/// out. A pure function of options, labels and seed (and the files of splits:DIR). Throws
/// std::invalid_argument or Error.
std::vector<Task> make_tasks(const StreamOptions& options, uint64_t seed, const Dataset& dataset);

/// Samples as they arrive. A learner sees `samples`; the truth rides along for the metrics alone.
class Batch {
 public:
  Samples samples;
  int64_t task = 0;

 private:
  friend class TrueLabels;
  std::vector<int64_t> true_labels_;
};

/// The order in which a dataset arrives; knows its position, can be cut at any sample and resumed.
/// Refers to the dataset, which must outlive it.
class Stream {
 public:
  /// Throws std::invalid_argument when a task names a row that the dataset lacks.
  Stream(const Dataset& dataset, std::vector<Task> tasks);

  const std::vector<Task>& tasks() const { return tasks_; }
  int64_t size() const { return ends_.empty() ? 0 : ends_.back(); }
  /// Samples yielded so far.
  int64_t position() const { return position_; }
  /// Continues from any position; throws std::invalid_argument outside [0, size].
  void seek(int64_t position);
  bool finished() const { return position_ == size(); }
  /// The task of the next sample (of the last one when finished).
  int64_t task() const;
  /// Samples of the current task still to come.
  int64_t left_in_task() const;
  /// The next at most `count` samples (at least 1), never across a task boundary; empty when finished.
  Batch next(int64_t count);

 private:
  const Dataset* dataset_;
  std::vector<Task> tasks_;
  std::vector<int64_t> ends_;  ///< position after the last sample of each task
  int64_t position_ = 0;
};

/// The only reader of a batch's true labels: metrics, never learners.
class TrueLabels {
 public:
  static const std::vector<int64_t>& of(const Batch& batch) { return batch.true_labels_; }
  static void set(Batch& batch, std::vector<int64_t> labels) { batch.true_labels_ = std::move(labels); }
};

}  // namespace perennial
