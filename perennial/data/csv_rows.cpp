#include "perennial/data/csv_rows.h"

#include <algorithm>

#include "perennial/base/error.h"
#include "perennial/base/text.h"

namespace perennial {
namespace {

constexpr size_t kMostFields = 64;

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {
    if (bytes_.starts_with("\xEF\xBB\xBF")) bytes_.remove_prefix(3);
  }

  bool at_end() const { return at_ == bytes_.size(); }
  int64_t line() const { return line_; }

  /// The fields of the next line; one empty field for a blank line.
  std::vector<std::string> record() {
    std::vector<std::string> fields;
    for (;;) {
      if (fields.size() == kMostFields) fail_csv(name_, "at most 64 fields", "more", line_);
      fields.push_back(!at_end() && bytes_[at_] == '"' ? quoted() : plain());
      if (at_end()) return fields;
      const char stop = bytes_[at_++];
      if (stop == ',') continue;
      ++line_;
      return fields;
    }
  }

 private:
  std::string plain() {
    const size_t end = std::min(bytes_.find_first_of(",\n", at_), bytes_.size());
    const std::string_view field = bytes_.substr(at_, end - at_);
    at_ = end;
    return trim(field);
  }

  std::string quoted() {
    const int64_t first_line = line_;
    std::string field;
    for (++at_; !at_end(); ++at_) {
      if (bytes_[at_] == '\n') ++line_;
      if (bytes_[at_] != '"') {
        field += bytes_[at_];
      } else if (at_ + 1 < bytes_.size() && bytes_[at_ + 1] == '"') {
        field += bytes_[++at_];
      } else {
        ++at_;
        if (!plain().empty()) fail_csv(name_, "a comma after a quoted field", "something else", line_);
        return field;
      }
    }
    fail_csv(name_, "a closing quote", "the end of a field begun", first_line);
  }

  std::string_view bytes_;
  const std::string& name_;
  size_t at_ = 0;
  int64_t line_ = 1;
};

CsvRow to_row(const CsvRecord& record, const std::string& name) {
  const auto& fields = record.fields;
  if (fields.size() < 2 || fields.size() > 3 || fields[0].empty() || fields[1].empty())
    fail_csv(name, "path,label or path,label,train|test",
             std::to_string(fields.size()) + " fields, or an empty one", record.line);
  CsvRow row{fields[0], fields[1], CsvRow::Part::kUnstated, record.line};
  if (fields.size() < 3 || fields[2].empty()) return row;
  if (fields[2] != "train" && fields[2] != "test")
    fail_csv(name, "train or test in the third field", "'" + fields[2] + "'", record.line);
  row.part = fields[2] == "test" ? CsvRow::Part::kTest : CsvRow::Part::kTrain;
  return row;
}

}  // namespace

void fail_csv(const std::string& name, const std::string& expected, const std::string& found, int64_t line) {
  throw Error({"reading a CSV file", name, expected, found + " in line " + std::to_string(line)});
}

void parse_csv(std::string_view bytes, const std::string& name, const std::vector<std::string>& heading,
               const std::function<void(const CsvRecord&)>& use) {
  Reader reader(bytes, name);
  for (bool first = true; !reader.at_end();) {
    const int64_t line = reader.line();
    const CsvRecord record{reader.record(), line};
    if (record.fields.size() == 1 && record.fields[0].empty()) continue;
    const bool is_heading = first && record.fields.size() >= heading.size() &&
                            std::equal(heading.begin(), heading.end(), record.fields.begin());
    first = first && is_heading;
    if (!is_heading) use(record);
  }
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\n") == std::string_view::npos) return std::string(text);
  std::string field = "\"";
  for (const char c : text) field += c == '"' ? "\"\"" : std::string(1, c);
  return field + '"';
}

std::vector<CsvRow> parse_image_csv(std::string_view bytes, const std::string& name) {
  std::vector<CsvRow> rows;
  parse_csv(bytes, name, {"path", "label"},
            [&](const CsvRecord& record) { rows.push_back(to_row(record, name)); });
  return rows;
}

}  // namespace perennial
