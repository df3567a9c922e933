#include "perennial/data/csv_rows.h"

#include "perennial/base/error.h"
#include "perennial/base/text.h"

namespace perennial {
namespace {

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {
    if (bytes_.starts_with("\xEF\xBB\xBF")) bytes_.remove_prefix(3);
  }

  bool at_end() const { return at_ == bytes_.size(); }
  int64_t line() const { return line_; }

  [[noreturn]] void fail(const std::string& expected, const std::string& found, int64_t line) const {
    throw Error({"reading a list of images", name_, expected, found + " in line " + std::to_string(line)});
  }

  /// The fields of the next line; one empty field for a blank line.
  std::vector<std::string> record() {
    std::vector<std::string> fields;
    for (;;) {
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
        if (!plain().empty()) fail("a comma after a quoted field", "something else", line_);
        return field;
      }
    }
    fail("a closing quote", "the end of a field begun", first_line);
  }

  std::string_view bytes_;
  const std::string& name_;
  size_t at_ = 0;
  int64_t line_ = 1;
};

CsvRow to_row(const std::vector<std::string>& fields, const Reader& reader, int64_t line) {
  if (fields.size() < 2 || fields.size() > 3 || fields[0].empty() || fields[1].empty())
    reader.fail("path,label or path,label,train|test",
                std::to_string(fields.size()) + " fields, or an empty one", line);
  CsvRow row{fields[0], fields[1], CsvRow::Part::kUnstated, line};
  if (fields.size() < 3 || fields[2].empty()) return row;
  if (fields[2] != "train" && fields[2] != "test")
    reader.fail("train or test in the third field", "'" + fields[2] + "'", line);
  row.part = fields[2] == "test" ? CsvRow::Part::kTest : CsvRow::Part::kTrain;
  return row;
}

}  // namespace

std::vector<CsvRow> parse_image_csv(std::string_view bytes, const std::string& name) {
  Reader reader(bytes, name);
  std::vector<CsvRow> rows;
  while (!reader.at_end()) {
    const int64_t line = reader.line();
    const auto fields = reader.record();
    const bool blank = fields.size() == 1 && fields[0].empty();
    const bool heading = rows.empty() && fields.size() >= 2 && fields[0] == "path" && fields[1] == "label";
    if (!blank && !heading) rows.push_back(to_row(fields, reader, line));
  }
  return rows;
}

}  // namespace perennial
