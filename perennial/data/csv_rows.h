#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace perennial {

/// One line of a CSV file that is not blank.
struct CsvRecord {
  std::vector<std::string> fields;
  int64_t line = 0;  ///< counts from 1
};

/// Splits comma-separated lines and gives one after the other to `use`: fields may be quoted ("" for a
/// quote), blank lines and a first line that begins with the fields of `heading` are left out. Throws Error
/// with the line for a quote that does not end, text behind one, or more than 64 fields; `name` is what
/// errors call the source.
void parse_csv(std::string_view bytes, const std::string& name, const std::vector<std::string>& heading,
               const std::function<void(const CsvRecord&)>& use);

/// The text as a field, in quotes where it needs them.
std::string csv_field(std::string_view text);

/// The Error for a line that is not as expected.
[[noreturn]] void fail_csv(const std::string& name, const std::string& expected, const std::string& found,
                           int64_t line);

/// One line of an image list.
struct CsvRow {
  std::string path, label;
  enum class Part { kUnstated, kTrain, kTest } part = Part::kUnstated;
  int64_t line = 0;  ///< counts from 1
};

/// Parses `path,label[,train|test]` lines with or without the heading "path,label...". Throws Error with the
/// line for anything else.
std::vector<CsvRow> parse_image_csv(std::string_view bytes, const std::string& name);

}  // namespace perennial
