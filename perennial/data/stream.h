#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "perennial/data/samples.h"
#include "perennial/data/source.h"

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
  std::string shortcut = "none";  ///< none | patch:R | border:R | background:R
  bool file_order = false;        ///< of splits:DIR: as the files list them, not shuffled
  std::string class_order;        ///< comma-separated names; empty: random by seed
  int64_t limit = 0;              ///< at most this many samples in all, cut evenly from every task; 0: all

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

/// Samples as they arrive.
struct Batch {
  Samples samples;
  int64_t task = 0;
};

/// The order in which samples arrive, task by task, each from a source; knows its position, can be cut at any
/// sample and resumed. It grows: an update, or a round of labelling, brings more tasks from another source.
class Stream {
 public:
  /// A task of the stream: where its samples come from.
  struct Part {
    std::shared_ptr<const Source> source;  ///< none of a task that has passed
    Task task;
    int64_t begin, end;  ///< positions of its first sample and after its last
  };

  Stream() = default;
  Stream(const std::shared_ptr<const Source>& source, std::vector<Task> tasks) {
    grow(source, std::move(tasks));
  }

  /// More tasks behind the others. Throws std::invalid_argument when one names a row that the source lacks.
  void grow(const std::shared_ptr<const Source>& source, std::vector<Task> tasks);
  /// A task that has passed, of so many samples, whose source is not needed again. Only before others.
  void grow_passed(int64_t samples);

  const std::vector<Part>& parts() const { return parts_; }
  int64_t tasks() const { return std::ssize(parts_); }
  int64_t size() const { return parts_.empty() ? 0 : parts_.back().end; }
  /// Samples yielded so far.
  int64_t position() const { return position_; }
  /// Continues from any position; throws std::invalid_argument outside [0, size] or in a task that was let
  /// go.
  void seek(int64_t position);
  bool finished() const { return position_ == size(); }
  /// The task of the next sample (of the last one when finished).
  int64_t task() const;
  /// Samples of the current task still to come.
  int64_t left_in_task() const;
  /// The next at most `count` samples (at least 1), never across a task boundary; empty when finished.
  Batch next(int64_t count);

 private:
  std::vector<Part> parts_;
  int64_t position_ = 0;
};

}  // namespace perennial
