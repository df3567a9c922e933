#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "perennial/data/stream.h"

namespace perennial {

struct Dataset;

/// Reads the split files of the Rainbow Memory, PuriDivER and i-Blurry repositories: one JSON array per task
/// with objects {klass, file_name (or filepath), label[, true_label]}, in files *_task0.json, *_task1.json,
/// ... `where` is a folder that holds one split (test and valid files beside it are passed over), or
/// folder/NAME, where NAME is what stands before _task in the file names, for a folder that holds several.
/// Records are matched to the dataset by `paths` (file_name, with or without its first folder); where the
/// dataset has none, by the number in the file name: of the sample within its class in the order of the set
/// (from 1, as cifar2png writes them, or from 0), else of the row in the whole set (as mnist_png writes
/// them). Labels in the files become the dataset's labels (mapped by class name), with the truth kept when
/// they differ. A class is major in each task that holds at least half as many of its samples as the one that
/// holds most. Throws Error with file and record for what does not fit; the dataset is then as it was.
std::vector<Task> read_split_files(const std::filesystem::path& where, Dataset& dataset);

/// The files of the split that `where` names, as above, in the order of their tasks. Error without any.
std::vector<std::filesystem::path> split_task_files(const std::filesystem::path& where);

/// Writes tasks in the same form, {prefix}_task{t}.json; Error when the disk is full.
void write_split_files(const std::filesystem::path& folder, const std::string& prefix, const Dataset& dataset,
                       const std::vector<Task>& tasks);

/// The name that the Rainbow Memory repository would give: "cifar10_train_blurry10_rand1_cls2".
std::string split_prefix(const Dataset& dataset, const StreamOptions& options, uint64_t seed);

/// One parsed record, and the parser alone, for fuzzing.
struct SplitRecord {
  std::string klass, file_name;
  int64_t label = 0;
  int64_t true_label = -1;  ///< -1: not stored
  bool operator==(const SplitRecord&) const = default;
};

/// Throws Error that names the file (`name`) and the record. Texts are at most 4096 bytes, labels below 10^9.
std::vector<SplitRecord> parse_split_json(std::string_view json, const std::string& name);

/// The inverse of parse_split_json. Throws Error for texts that are not UTF-8.
std::string format_split_json(std::span<const SplitRecord> records, const std::string& name);

}  // namespace perennial
