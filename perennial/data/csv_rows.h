#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace perennial {

/// One line of an image list.
struct CsvRow {
  std::string path, label;
  enum class Part { kUnstated, kTrain, kTest } part = Part::kUnstated;
  int64_t line = 0;  ///< counts from 1
};

/// Parses `path,label[,train|test]` lines: fields may be quoted ("" for a quote), blank lines and a heading
/// "path,label..." are left out. Throws Error with the line for anything else; `name` is what errors call the
/// source.
std::vector<CsvRow> parse_image_csv(std::string_view bytes, const std::string& name);

}  // namespace perennial
