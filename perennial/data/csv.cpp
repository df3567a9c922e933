#include <algorithm>
#include <map>
#include <set>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/progress.h"
#include "perennial/data/image_csv.h"
#include "perennial/data/image_list.h"
#include "perennial/data/sources.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxCsvBytes = int64_t{1} << 30;

[[noreturn]] void bad_list(const fs::path& file, const std::string& expected, const std::string& found) {
  throw Error({"reading a list of images", file.string(), expected, found});
}

/// A path as it names the sample: without "./" and the like.
std::string normal(const std::string& path) { return fs::path(path).lexically_normal().generic_string(); }

void check_unique(const std::vector<CsvRow>& rows, const fs::path& file) {
  std::map<std::string, int64_t> lines;
  for (const auto& row : rows)
    if (const auto [it, fresh] = lines.emplace(normal(row.path), row.line); !fresh)
      bad_list(file, "each path once",
               row.path + " in lines " + std::to_string(it->second) + " and " + std::to_string(row.line));
}

/// The file of a path, in which a list from Windows has backslashes.
fs::path file_of(const fs::path& root, std::string path) {
  std::error_code code;
  if (path.find('\\') != std::string::npos && !fs::exists(root / path, code))
    std::replace(path.begin(), path.end(), '\\', '/');
  return root / path;
}

bool has(const std::vector<CsvRow>& rows, SplitName part) {
  return std::any_of(rows.begin(), rows.end(), [part](const CsvRow& row) { return row.part == part; });
}

/// Lines of a validation part are left out where there is a test part; without one they are it.
ImageList to_list(const fs::path& file, const std::vector<CsvRow>& rows) {
  const bool has_test = has(rows, SplitName::kTest);
  const auto tested = tested_part(has(rows, SplitName::kValidation), has_test);
  std::set<std::string> names;
  for (const auto& row : rows) names.insert(row.label);
  ImageList list;
  list.root = file.parent_path();
  list.name = file.stem().string();
  list.class_names.assign(names.begin(), names.end());
  int64_t left_out = 0;
  for (const auto& row : rows) {
    if (has_test && row.part == SplitName::kValidation && ++left_out > 0) continue;
    const auto label = std::lower_bound(list.class_names.begin(), list.class_names.end(), row.label);
    list.entries.push_back({file_of(list.root, row.path), normal(row.path), label - list.class_names.begin(),
                            tested && row.part == tested});
  }
  if (left_out > 0)
    list.left_out =
        std::to_string(left_out) + " lines of the validation part left out, as there is a test part";
  if (tested) list.split_note = has_test ? "the list's own test part" : "the list's own validation part";
  return list;
}

}  // namespace

DataSource load_csv(const fs::path& file, const DataOptions& options, Progress& progress) {
  const auto rows = parse_image_csv(read_file(file, kMaxCsvBytes), file.string());
  if (rows.empty()) bad_list(file, "lines of path,label or path,label,train|test", "no line");
  check_unique(rows, file);
  ImageList list = to_list(file, rows);
  if (!list.left_out.empty()) progress.note(file.string() + ": " + list.left_out);
  if (list.split_note.empty()) hold_out(list, options, progress);
  choose_entries(list, options);
  return decode_images(list, options, progress);
}

}  // namespace perennial
