#include "perennial/data/csv_rows.h"

#include <algorithm>

#include "perennial/base/error.h"
#include "perennial/base/text.h"

namespace perennial {
namespace {

constexpr size_t kMostFields = 4096;

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& name, char delimiter)
      : bytes_(bytes), name_(name), delimiter_(delimiter) {
    if (bytes_.starts_with("\xEF\xBB\xBF")) bytes_.remove_prefix(3);
    if (bytes_.starts_with("\xFF\xFE") || bytes_.starts_with("\xFE\xFF"))
      fail_csv(name_, "text in UTF-8", "UTF-16", 1);
    if (bytes_.find('\n') == std::string_view::npos) line_end_ = '\r';
  }

  bool at_end() const { return at_ == bytes_.size(); }
  int64_t line() const { return line_; }

  /// The fields of the next line; one empty field for a blank line.
  std::vector<std::string> record() {
    std::vector<std::string> fields;
    for (;;) {
      if (fields.size() == kMostFields)
        fail_csv(name_, "at most " + std::to_string(kMostFields) + " fields", "more", line_);
      fields.push_back(!at_end() && bytes_[at_] == '"' ? quoted() : plain());
      if (at_end()) return fields;
      const char stop = bytes_[at_++];
      if (stop == delimiter_) continue;
      ++line_;
      return fields;
    }
  }

 private:
  std::string plain() {
    const char ends[] = {delimiter_, line_end_};
    const size_t end = std::min(bytes_.find_first_of({ends, 2}, at_), bytes_.size());
    const std::string_view field = bytes_.substr(at_, end - at_);
    at_ = end;
    return trim(field);
  }

  std::string quoted() {
    const int64_t first_line = line_;
    std::string field;
    for (++at_; !at_end(); ++at_) {
      if (bytes_[at_] == line_end_) ++line_;
      if (bytes_[at_] != '"') {
        field += bytes_[at_];
      } else if (at_ + 1 < bytes_.size() && bytes_[at_ + 1] == '"') {
        field += bytes_[++at_];
      } else {
        ++at_;
        if (!plain().empty()) fail_csv(name_, "a delimiter after a quoted field", "something else", line_);
        return field;
      }
    }
    fail_csv(name_, "a closing quote", "the end of a field begun", first_line);
  }

  std::string_view bytes_;
  const std::string& name_;
  char delimiter_, line_end_ = '\n';
  size_t at_ = 0;
  int64_t line_ = 1;
};

}  // namespace

void fail_csv(const std::string& name, const std::string& expected, const std::string& found, int64_t line) {
  throw Error({"reading a CSV file", name, expected, found + " in line " + std::to_string(line)});
}

void read_csv(std::string_view bytes, const std::string& name, char delimiter,
              const std::function<bool(const CsvRecord&)>& use) {
  Reader reader(bytes, name, delimiter);
  while (!reader.at_end()) {
    const int64_t line = reader.line();
    const CsvRecord record{reader.record(), line};
    if (record.fields.size() == 1 && record.fields[0].empty()) continue;
    if (!use(record)) return;
  }
}

void parse_csv(std::string_view bytes, const std::string& name, const std::vector<std::string>& heading,
               const std::function<void(const CsvRecord&)>& use) {
  bool first = true;
  read_csv(bytes, name, ',', [&](const CsvRecord& record) {
    const bool is_heading = first && record.fields.size() >= heading.size() &&
                            std::equal(heading.begin(), heading.end(), record.fields.begin());
    first = false;
    if (!is_heading) use(record);
    return true;
  });
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\n") == std::string_view::npos) return std::string(text);
  std::string field = "\"";
  for (const char c : text) field += c == '"' ? "\"\"" : std::string(1, c);
  return field + '"';
}

}  // namespace perennial
