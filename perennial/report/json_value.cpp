#include "perennial/report/json_value.h"

#include "perennial/base/files.h"

namespace perennial::report {

Json read_json(const std::filesystem::path& file) {
  const std::string bytes = read_file(file, int64_t{1} << 28);
  try {
    Json root = Json::parse(bytes);
    if (!root.is_object()) throw Error({"reading metrics", file.string(), "a JSON object", root.type_name()});
    return root;
  } catch (const Json::exception& e) {
    throw Error({"reading metrics", file.string(), "JSON", e.what()});
  }
}

}  // namespace perennial::report
