#include <algorithm>
#include <map>
#include <set>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/data/csv_rows.h"
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

ImageList to_list(const fs::path& file, const std::vector<CsvRow>& rows) {
  std::set<std::string> names;
  for (const auto& row : rows) names.insert(row.label);
  ImageList list;
  list.root = file.parent_path();
  list.name = file.stem().string();
  list.class_names.assign(names.begin(), names.end());
  for (const auto& row : rows) {
    const auto label = std::lower_bound(list.class_names.begin(), list.class_names.end(), row.label);
    list.entries.push_back({list.root / row.path, normal(row.path), label - list.class_names.begin(),
                            row.part == CsvRow::Part::kTest});
  }
  return list;
}

}  // namespace

DataSource load_csv(const fs::path& file, const DataOptions& options, Progress& progress) {
  const auto rows = parse_image_csv(read_file(file, kMaxCsvBytes), file.string());
  if (rows.empty()) bad_list(file, "lines of path,label or path,label,train|test", "no line");
  check_unique(rows, file);
  ImageList list = to_list(file, rows);
  const bool stated = std::any_of(rows.begin(), rows.end(),
                                  [](const CsvRow& row) { return row.part != CsvRow::Part::kUnstated; });
  if (stated)
    list.split_note = "the third column of the list";
  else
    hold_out(list, options.test_share);
  choose_entries(list, options);
  return decode_images(list, options, progress);
}

}  // namespace perennial
