#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "perennial/data/stream.h"

namespace perennial {

struct Dataset;

/// Reads the split files of the Rainbow Memory and PuriDivER repositories: one JSON array per task with objects
/// {klass, file_name, label[, true_label]}; files are taken in the order of the task number in their names.
/// Records are matched to the dataset by `paths` (file_name, with or without its first folder), else by the number
/// in the file name within its class. Labels in the files become the dataset's labels (mapped by class name),
/// with the truth kept when they differ. Hostile input gives an Error with file and record.
std::vector<Task> read_split_files(const std::filesystem::path& folder, Dataset& dataset);

/// Writes tasks in the same form, {name}_train_{stream}_rand{seed}_task{t}.json; Error when the disk is full.
void write_split_files(const std::filesystem::path& folder, const std::string& prefix, const Dataset& dataset,
                       const std::vector<Task>& tasks);

/// One parsed record, and the parser alone, for fuzzing.
struct SplitRecord {
  std::string klass, file_name;
  int64_t label = 0;
  int64_t true_label = -1;  ///< -1: not stored
};
std::vector<SplitRecord> parse_split_json(std::string_view json, const std::string& name);

}  // namespace perennial
