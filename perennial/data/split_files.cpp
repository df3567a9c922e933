#include "perennial/data/split_files.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/text.h"
#include "perennial/data/dataset.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kLargestFile = int64_t{1} << 30;
constexpr const char* kDoing = "reading a split";

struct SplitFile {
  std::string path;
  std::vector<SplitRecord> records;
};

[[noreturn]] void refuse(const SplitFile& file, size_t record, std::string expected, std::string found) {
  throw Error({kDoing, file.path, fmt::format("{} in record {}", expected, record), std::move(found)});
}

/// A number that ends `text`, and what stands before it; -1 without one.
int64_t number_at_end(std::string_view text, std::string_view& before) {
  const auto last = text.find_last_not_of("0123456789");
  const size_t begin = last == std::string_view::npos ? 0 : last + 1;
  before = text.substr(0, begin);
  if (begin == text.size() || text.size() - begin > 15) return -1;
  int64_t value = 0;
  for (const char c : text.substr(begin)) value = value * 10 + (c - '0');
  return value;
}

bool is_held_out(std::string_view stem) {
  for (const std::string& word : split(stem, '_'))
    if (word == "test" || word == "valid" || word == "val") return true;
  return false;
}

using Numbered = std::map<int64_t, fs::path>;

/// The task files of each split in a folder, by what stands before "_task".
std::map<std::string, Numbered> splits_in(const fs::path& folder) {
  std::map<std::string, Numbered> splits;
  std::error_code code;
  fs::directory_iterator entries(folder, code);
  if (code) throw Error({kDoing, folder.string(), "a folder", code.message()});
  for (const auto& entry : entries) {
    std::string_view before;
    const std::string stem = entry.path().stem().string();
    const int64_t number = number_at_end(stem, before);
    if (entry.path().extension() != ".json" || number < 0 || !before.ends_with("_task")) continue;
    before.remove_suffix(5);
    splits[std::string(before)].emplace(number, entry.path());
  }
  return splits;
}

std::string_view without_first_folder(std::string_view path) {
  const auto slash = path.find('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// Finds the row of the dataset that a record speaks of.
class Matcher {
 public:
  Matcher(const Dataset& dataset, const std::vector<SplitFile>& files)
      : dataset_(dataset), truth_(dataset.true_labels.empty() ? dataset.labels : dataset.true_labels) {
    for (size_t c = 0; c < dataset.class_names.size(); ++c)
      classes_.emplace(dataset.class_names[c], static_cast<int64_t>(c));
    if (dataset.paths.empty())
      index_numbers(files);
    else
      index_paths();
  }

  int64_t row(const SplitFile& file, size_t index) const {
    return dataset_.paths.empty() ? row_by_number(file, index) : row_by_path(file, index);
  }
  int64_t truth(int64_t row) const { return truth_[static_cast<size_t>(row)]; }
  /// The class that `klass` names, or else that of the row (some files number their classes).
  int64_t class_of(const SplitRecord& record, int64_t row) const {
    const auto at = classes_.find(record.klass);
    return at == classes_.end() ? truth(row) : at->second;
  }

 private:
  enum class Numbers { kInClassFromOne, kInClassFromZero, kRow };

  void index_paths() {
    for (size_t i = 0; i < dataset_.paths.size(); ++i) {
      const auto row = static_cast<int64_t>(i);
      by_path_.emplace(dataset_.paths[i], row);
      const auto [at, is_new] = by_tail_.emplace(without_first_folder(dataset_.paths[i]), row);
      if (!is_new) at->second = -1;  // ambiguous
    }
  }

  int64_t row_by_path(const SplitFile& file, size_t index) const {
    const std::string_view name = file.records[index].file_name;
    for (const std::string_view key : {name, without_first_folder(name)})
      if (const auto at = by_path_.find(key); at != by_path_.end()) return at->second;
    if (const auto at = by_tail_.find(name); at != by_tail_.end() && at->second >= 0) return at->second;
    refuse(file, index, "a file of the data set", std::string(name));
  }

  int64_t klass(const SplitFile& file, size_t index) const {
    const std::string& name = file.records[index].klass;
    if (const auto at = classes_.find(name); at != classes_.end()) return at->second;
    refuse(file, index, "a class of the data set", name + suggestion(name, dataset_.class_names));
  }

  int64_t number(const SplitFile& file, size_t index) const {
    std::string_view before;
    const std::string stem = fs::path(file.records[index].file_name).stem().string();
    const int64_t value = number_at_end(stem, before);
    if (value < 0) refuse(file, index, "a file name that ends in a number", file.records[index].file_name);
    return value;
  }

  /// Which of the three readings of the numbers fits all records.
  void index_numbers(const std::vector<SplitFile>& files) {
    rows_.resize(dataset_.class_names.size());
    for (int64_t row = 0; row < dataset_.size(); ++row)
      rows_.at(static_cast<size_t>(truth(row))).push_back(row);
    bool below = true, up_to = true, has_zero = false;
    for (const SplitFile& file : files)
      for (size_t i = 0; i < file.records.size(); ++i) {
        const auto n = number(file, i),
                   size = static_cast<int64_t>(rows_[static_cast<size_t>(klass(file, i))].size());
        has_zero = has_zero || n == 0;
        below = below && n < size;
        up_to = up_to && n <= size;
      }
    numbers_ = up_to && !has_zero ? Numbers::kInClassFromOne
               : below            ? Numbers::kInClassFromZero
                                  : Numbers::kRow;
  }

  int64_t row_by_number(const SplitFile& file, size_t index) const {
    const int64_t n = number(file, index), c = klass(file, index);
    const auto& rows = rows_[static_cast<size_t>(c)];
    if (numbers_ != Numbers::kRow)
      return rows[static_cast<size_t>(n - (numbers_ == Numbers::kInClassFromOne ? 1 : 0))];
    if (n < dataset_.size() && truth(n) == c) return n;
    refuse(file, index,
           fmt::format("sample {} of {} in class {}, or row {} of that class", n, rows.size(),
                       file.records[index].klass, n),
           n < dataset_.size() ? "a row of class " + dataset_.class_names[static_cast<size_t>(truth(n))]
                               : fmt::format("a set of {} samples", dataset_.size()));
  }

  const Dataset& dataset_;
  const std::vector<int64_t>& truth_;
  std::unordered_map<std::string, int64_t> classes_;
  std::unordered_map<std::string_view, int64_t> by_path_, by_tail_;
  std::vector<std::vector<int64_t>> rows_;
  Numbers numbers_ = Numbers::kInClassFromOne;
};

/// Which class a label number stands for: the record's class has its true label, or its label where that is
/// all.
std::map<int64_t, int64_t> label_classes(const std::vector<SplitFile>& files, const Matcher& matcher,
                                         const std::vector<Task>& tasks, const Dataset& dataset) {
  std::map<int64_t, int64_t> classes;
  for (size_t t = 0; t < files.size(); ++t)
    for (size_t i = 0; i < files[t].records.size(); ++i) {
      const SplitRecord& record = files[t].records[i];
      const int64_t number = record.true_label >= 0 ? record.true_label : record.label;
      const int64_t c = matcher.class_of(record, tasks[t].rows[i]);
      const auto [at, is_new] = classes.emplace(number, c);
      if (!is_new && at->second != c)
        refuse(files[t], i,
               fmt::format("label {} for class {}", number,
                           dataset.class_names[static_cast<size_t>(at->second)]),
               dataset.class_names[static_cast<size_t>(c)]);
    }
  return classes;
}

/// Labels as they arrive and as they truly are.
struct Labels {
  std::vector<int64_t> arrived, truth;
};

Labels labels_of(const std::vector<SplitFile>& files, const Matcher& matcher, const std::vector<Task>& tasks,
                 const Dataset& dataset) {
  const auto classes = label_classes(files, matcher, tasks, dataset);
  Labels labels{dataset.labels, dataset.true_labels.empty() ? dataset.labels : dataset.true_labels};
  std::vector<bool> seen(dataset.labels.size());
  for (size_t t = 0; t < files.size(); ++t)
    for (size_t i = 0; i < files[t].records.size(); ++i) {
      const SplitRecord& record = files[t].records[i];
      const auto row = static_cast<size_t>(tasks[t].rows[i]);
      const auto at = classes.find(record.label);
      if (at == classes.end())
        refuse(files[t], i, "a label that some record has as its true one", std::to_string(record.label));
      if (seen[row] && labels.arrived[row] != at->second)
        refuse(files[t], i, "the same label each time", record.file_name);
      seen[row] = true;
      labels.arrived[row] = at->second;
      if (record.true_label >= 0) labels.truth[row] = matcher.class_of(record, static_cast<int64_t>(row));
    }
  return labels;
}

/// A class is major where it has at least half of what it has in its largest task.
void find_major_classes(const std::vector<int64_t>& labels, size_t classes, std::vector<Task>& tasks) {
  std::vector<std::vector<int64_t>> counts(tasks.size(), std::vector<int64_t>(classes));
  std::vector<int64_t> most(classes);
  for (size_t t = 0; t < tasks.size(); ++t)
    for (const int64_t row : tasks[t].rows) {
      const auto c = static_cast<size_t>(labels[static_cast<size_t>(row)]);
      most[c] = std::max(most[c], ++counts[t][c]);
    }
  for (size_t t = 0; t < tasks.size(); ++t)
    for (size_t c = 0; c < classes; ++c)
      if (counts[t][c] > 0 && 2 * counts[t][c] >= most[c])
        tasks[t].classes.push_back(static_cast<int64_t>(c));
}

/// The number of each class in split files: its place in the order in which the tasks bring the classes.
std::vector<int64_t> positions(const std::vector<Task>& tasks, size_t classes) {
  std::vector<int64_t> position(classes, -1);
  int64_t next = 0;
  for (const Task& task : tasks)
    for (const int64_t c : task.classes)
      if (int64_t& p = position[static_cast<size_t>(c)]; p < 0) p = next++;
  for (int64_t& p : position)
    if (p < 0) p = next++;
  return position;
}

/// The name of each sample's file: its own, or that of cifar2png (numbers within the true class, from 1).
std::vector<std::string> file_names(const Dataset& dataset, const std::vector<int64_t>& truth) {
  if (!dataset.paths.empty()) return dataset.paths;
  std::vector<int64_t> counts(dataset.class_names.size());
  std::vector<std::string> names;
  for (const int64_t c : truth)
    names.push_back(fmt::format("train/{}/{:04}.png", dataset.class_names[static_cast<size_t>(c)],
                                ++counts[static_cast<size_t>(c)]));
  return names;
}

}  // namespace

std::vector<fs::path> split_task_files(const fs::path& where) {
  const bool whole = fs::is_directory(where);
  const fs::path folder = whole ? where : where.has_parent_path() ? where.parent_path() : fs::path(".");
  auto splits = splits_in(folder);
  if (whole)
    std::erase_if(splits, [](const auto& s) { return is_held_out(s.first); });
  else
    std::erase_if(splits, [&](const auto& s) { return s.first != where.filename().string(); });
  if (splits.empty())
    throw Error({kDoing, where.string(), "files such as cifar10_train_blurry10_rand1_task0.json", "none"});
  if (splits.size() > 1)
    throw Error({kDoing, where.string(),
                 fmt::format("one split; name it, as in {}", (folder / splits.begin()->first).string()),
                 fmt::format("{} splits", splits.size())});
  std::vector<fs::path> files;
  for (const auto& [number, file] : splits.begin()->second) {
    if (number != static_cast<int64_t>(files.size()))
      throw Error(
          {kDoing, file.string(), fmt::format("task {}", files.size()), fmt::format("task {}", number)});
    files.push_back(file);
  }
  return files;
}

std::vector<Task> read_split_files(const fs::path& where, Dataset& dataset) {
  std::vector<SplitFile> files;
  for (const fs::path& path : split_task_files(where))
    files.push_back({path.string(), parse_split_json(read_file(path, kLargestFile), path.string())});
  const Matcher matcher(dataset, files);
  std::vector<Task> tasks(files.size());
  for (size_t t = 0; t < files.size(); ++t)
    for (size_t i = 0; i < files[t].records.size(); ++i) tasks[t].rows.push_back(matcher.row(files[t], i));
  Labels labels = labels_of(files, matcher, tasks, dataset);
  find_major_classes(labels.arrived, dataset.class_names.size(), tasks);
  dataset.true_labels = labels.truth == labels.arrived ? std::vector<int64_t>{} : std::move(labels.truth);
  dataset.labels = std::move(labels.arrived);
  return tasks;
}

void write_split_files(const fs::path& folder, const std::string& prefix, const Dataset& dataset,
                       const std::vector<Task>& tasks) {
  make_folder(folder);
  const auto& truth = dataset.true_labels.empty() ? dataset.labels : dataset.true_labels;
  const auto position = positions(tasks, dataset.class_names.size());
  const auto names = file_names(dataset, truth);
  for (size_t t = 0; t < tasks.size(); ++t) {
    std::vector<SplitRecord> records;
    for (const int64_t r : tasks[t].rows) {
      const auto row = static_cast<size_t>(r), c = static_cast<size_t>(truth[row]);
      records.push_back({dataset.class_names[c], names[row],
                         position[static_cast<size_t>(dataset.labels[row])],
                         dataset.true_labels.empty() ? -1 : position[c]});
    }
    const fs::path path = folder / fmt::format("{}_task{}.json", prefix, t);
    write_file_atomic(path, format_split_json(records, path.string()));
  }
}

std::string split_prefix(const Dataset& dataset, const StreamOptions& options, uint64_t seed) {
  std::string kind = options.kind + (options.noise == "none" ? "" : "_" + options.noise);
  std::replace_if(kind.begin(), kind.end(), [](char c) { return c == ':' || c == '/'; }, '-');
  const auto classes = static_cast<int64_t>(dataset.class_names.size());
  return fmt::format("{}_train_{}_rand{}_cls{}", dataset.name, kind, seed,
                     classes / std::max<int64_t>(1, options.tasks));
}

}  // namespace perennial
