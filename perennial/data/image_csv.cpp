#include "perennial/data/image_csv.h"

#include <algorithm>
#include <array>

#include "perennial/base/error.h"
#include "perennial/base/text.h"
#include "perennial/data/csv_rows.h"
#include "perennial/io/image.h"

namespace perennial {
namespace {

// Without case, blanks, "_", "-" and a plural's s; the first of a list wins where a heading has several.
constexpr std::array<std::string_view, 20> kPaths{
    "path",          "filepath",   "imagepath",    "imgpath", "file",  "filename", "imagefile",
    "imagefilename", "imagename",  "imgname",      "imgfile", "image", "img",      "picture",
    "photo",         "photograph", "relativepath", "fname",   "uri",   "url"};
constexpr std::array<std::string_view, 14> kLabels{
    "label",  "labelname", "class",   "classname", "classlabel", "category", "categoryname",
    "target", "specie",    "species", "tag",       "classid",    "labelid",  "y"};
constexpr std::array<std::string_view, 12> kParts{"split",     "set",       "subset",   "fold",
                                                  "part",      "partition", "usage",    "phase",
                                                  "datasplit", "dataset",   "datatype", "splitset"};

std::string plain(std::string_view heading) {
  std::string name;
  for (const char c : lower(heading))
    if (c != ' ' && c != '_' && c != '-' && c != '.') name += c;
  return name;
}

constexpr int kNone = -1;

/// Columns of a list; the part may be none.
struct Columns {
  int path = kNone, label = kNone, part = kNone;
};

/// The column that has the first of `names` which is there at all.
template <size_t N>
int column(const std::vector<std::string>& heading, const std::array<std::string_view, N>& names,
           const std::string& name, int64_t line) {
  for (const std::string_view wanted : names) {
    int found = kNone;
    for (int c = 0; c < static_cast<int>(heading.size()); ++c) {
      const std::string& field = heading[static_cast<size_t>(c)];
      if (field != wanted && field != std::string(wanted) + "s") continue;
      if (found != kNone) fail_csv(name, "one column '" + std::string(wanted) + "'", "two", line);
      found = c;
    }
    if (found != kNone) return found;
  }
  return kNone;
}

Columns named_columns(const CsvRecord& first, const std::string& name) {
  std::vector<std::string> heading;
  for (const auto& field : first.fields) heading.push_back(plain(field));
  return {column(heading, kPaths, name, first.line), column(heading, kLabels, name, first.line),
          column(heading, kParts, name, first.line)};
}

bool any_image_name(const CsvRecord& record) {
  return std::any_of(record.fields.begin(), record.fields.end(),
                     [](const auto& f) { return is_image_name(f); });
}

std::vector<CsvRecord> first_records(std::string_view bytes, const std::string& name, char delimiter) {
  constexpr size_t kSample = 50;
  std::vector<CsvRecord> records;
  read_csv(bytes, name, delimiter, [&](const CsvRecord& record) {
    records.push_back(record);
    return records.size() < kSample;
  });
  return records;
}

/// The delimiter that gives equally long lines of several fields, best with names that are known among them.
char choose_delimiter(std::string_view bytes, const std::string& name) {
  char best = ',';
  int most = 0;
  for (const char delimiter : {',', ';', '\t', '|'}) {
    std::vector<CsvRecord> records;
    try {
      records = first_records(bytes, name, delimiter);
    } catch (const Error&) {
      continue;  // read with the delimiter that is chosen, it is told
    }
    if (records.empty() || records[0].fields.size() < 2) continue;
    const bool even = std::all_of(records.begin(), records.end(),
                                  [&](const auto& r) { return r.fields.size() == records[0].fields.size(); });
    const Columns columns = named_columns(records[0], name);
    const bool known = (columns.path != kNone && columns.label != kNone) || any_image_name(records[0]);
    if (const int score = 1 + (even ? 1 : 0) + (known ? 2 : 0); score > most) most = score, best = delimiter;
  }
  return best;
}

/// Whether all of the sample, or none, has names of images in a column.
bool holds_images(const std::vector<CsvRecord>& sample, size_t c) {
  return std::all_of(sample.begin(), sample.end(),
                     [c](const auto& r) { return r.fields.size() > c && is_image_name(r.fields[c]); });
}

/// Columns by position, for a list without a heading.
Columns placed_columns(const std::vector<CsvRecord>& sample, const std::string& name) {
  const CsvRecord& first = sample.front();
  const size_t count = first.fields.size();
  // A heading of names that are not known looks like this: no image in it, but in the lines below.
  const bool heading =
      !any_image_name(first) && sample.size() > 1 &&
      std::all_of(sample.begin() + 1, sample.end(), [](const auto& r) { return any_image_name(r); });
  if (heading || count < 2 || count > 3)
    fail_csv(name, "path,label or path,label,train|test, or a heading such as path,label,split",
             heading ? "the heading '" + join(first.fields, ",") + "'" : std::to_string(count) + " fields",
             first.line);
  const bool turned = holds_images(sample, 1) && !is_image_name(first.fields[0]);
  return {turned ? 1 : 0, turned ? 0 : 1, 2};
}

const std::string& field(const CsvRecord& record, int column) {
  static const std::string empty;
  const auto c = static_cast<size_t>(column);
  return column == kNone || c >= record.fields.size() ? empty : record.fields[c];
}

CsvRow to_row(const CsvRecord& record, const Columns& columns, const std::string& name, bool headed) {
  CsvRow row{field(record, columns.path), field(record, columns.label), {}, record.line};
  const size_t most = headed ? record.fields.size() : 3;
  if (row.path.empty() || row.label.empty() || record.fields.size() > most)
    fail_csv(name, headed ? "a path and a label" : "path,label or path,label,train|test",
             std::to_string(record.fields.size()) + " fields, or an empty one", record.line);
  const std::string& part = field(record, columns.part);
  if (part.empty()) return row;
  row.part = split_name(part);
  if (!row.part) fail_csv(name, "train, val or test as the part of the set", "'" + part + "'", record.line);
  return row;
}

}  // namespace

std::vector<CsvRow> parse_image_csv(std::string_view bytes, const std::string& name) {
  const char delimiter = choose_delimiter(bytes, name);
  const auto sample = first_records(bytes, name, delimiter);
  if (sample.empty()) return {};
  Columns columns = named_columns(sample.front(), name);
  const bool headed = columns.path != kNone && columns.label != kNone && !any_image_name(sample.front());
  if (!headed) columns = placed_columns(sample, name);
  std::vector<CsvRow> rows;
  bool first = headed;
  read_csv(bytes, name, delimiter, [&](const CsvRecord& record) {
    if (!first) rows.push_back(to_row(record, columns, name, headed));
    first = false;
    return true;
  });
  return rows;
}

std::vector<std::string> parse_image_paths(std::string_view bytes, const std::string& name) {
  const char delimiter = choose_delimiter(bytes, name);
  const auto sample = first_records(bytes, name, delimiter);
  if (sample.empty()) return {};
  const bool headed = !any_image_name(sample.front()) && named_columns(sample.front(), name).path != kNone;
  int path = headed ? named_columns(sample.front(), name).path : kNone;
  for (int c = 0; path == kNone && c < static_cast<int>(sample.front().fields.size()); ++c)
    if (holds_images(sample, static_cast<size_t>(c))) path = c;
  if (path == kNone)
    fail_csv(name, "a column of paths, or one with the heading 'path'",
             "'" + join(sample.front().fields, ",") + "'", sample.front().line);
  std::vector<std::string> paths;
  bool first = headed;
  read_csv(bytes, name, delimiter, [&](const CsvRecord& record) {
    if (!first) {
      if (field(record, path).empty()) fail_csv(name, "a path", "none", record.line);
      paths.push_back(field(record, path));
    }
    first = false;
    return true;
  });
  return paths;
}

}  // namespace perennial
