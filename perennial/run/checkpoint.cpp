#include "perennial/run/checkpoint.h"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/text.h"

namespace perennial {
namespace {

constexpr const char* kEnding = ".safetensors";
constexpr size_t kKept = 2;

int64_t number_of(const std::filesystem::path& file) {
  const std::string stem = file.stem().string();
  if (file.extension() != kEnding || stem.empty() || stem.size() > 15 ||
      stem.find_first_not_of("0123456789") != std::string::npos)
    return -1;
  return parse_int(stem, "checkpoint");
}

}  // namespace

std::vector<std::pair<int64_t, std::filesystem::path>> CheckpointFolder::list() const {
  std::vector<std::pair<int64_t, std::filesystem::path>> found;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, code))
    if (const int64_t n = number_of(entry.path()); n >= 0) found.emplace_back(n, entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

bool CheckpointFolder::empty() const { return list().empty(); }

void CheckpointFolder::write(const State& state) {
  make_folder(folder_);
  const auto before = list();
  const int64_t next = before.empty() ? 1 : before.back().first + 1;
  write_state(folder_ / fmt::format("{:09}{}", next, kEnding), state);
  std::error_code code;
  for (size_t i = 0; i + kKept <= before.size(); ++i) std::filesystem::remove(before[i].second, code);
}

State CheckpointFolder::read(const std::function<void(const std::string&)>& warn) const {
  auto found = list();
  const auto all = found;
  while (!found.empty()) {
    const auto file = found.back().second;
    found.pop_back();
    try {
      return decode_state(MappedFile(file).bytes(), file.string());
    } catch (const Error& e) {
      // A run that goes on removes old ones while they are read: then there are newer ones.
      if (!std::filesystem::exists(file) && list() != all) return read(warn);
      warn(fmt::format("{}{}", e.what(), found.empty() ? "" : "; using the checkpoint before it"));
    }
  }
  throw Error({"reading the checkpoint", folder_.string(),
               "a file such as 000000001.safetensors that is whole",
               all.empty() ? "none (the run never began: the command that begins it may be given again)"
                           : "damaged ones only"});
}

}  // namespace perennial
