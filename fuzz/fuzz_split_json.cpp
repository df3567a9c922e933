#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "perennial/base/error.h"
#include "perennial/data/split_files.h"

/// Whatever the bytes: records or an Error. What was read is written and read again as the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  try {
    const auto records = perennial::parse_split_json(json, "fuzz.json");
    const auto text = perennial::format_split_json(records, "fuzz.json");
    if (perennial::parse_split_json(text, "fuzz.json") != records) std::abort();
  } catch (const perennial::Error&) {
  }
  return 0;
}
