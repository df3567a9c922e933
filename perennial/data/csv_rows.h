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

/// Splits lines into fields and gives one after the other to `use` until it says false: fields may be quoted
/// ("" for a quote), and then hold delimiters and line ends; blank lines and a byte order mark are left out;
/// lines end with LF, CR LF or, where there is no LF, CR. Throws Error with the line for a quote that does
/// not end, text behind one, or more than 4096 fields, and for UTF-16; `name` is what errors call the source.
void read_csv(std::string_view bytes, const std::string& name, char delimiter,
              const std::function<bool(const CsvRecord&)>& use);

/// The same for commas, without a first line that begins with the fields of `heading`.
void parse_csv(std::string_view bytes, const std::string& name, const std::vector<std::string>& heading,
               const std::function<void(const CsvRecord&)>& use);

/// The text as a field, in quotes where it needs them.
std::string csv_field(std::string_view text);

/// The Error for a line that is not as expected.
[[noreturn]] void fail_csv(const std::string& name, const std::string& expected, const std::string& found,
                           int64_t line);

}  // namespace perennial
