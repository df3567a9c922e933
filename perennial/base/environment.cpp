#include "perennial/base/environment.h"

#include <cstdlib>

#include "perennial/base/files.h"

namespace perennial {

namespace fs = std::filesystem;

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

fs::path cache_folder() {
  if (const auto own = environment("PERENNIAL_CACHE")) return *own;
  if (const auto xdg = environment("XDG_CACHE_HOME"); xdg && fs::path(*xdg).is_absolute())
    return fs::path(*xdg) / "perennial";
  if (const auto home = environment("HOME")) return fs::path(*home) / ".cache" / "perennial";
  return temporary_folder() / "perennial-cache";
}

fs::path temporary_folder() {
  std::error_code failed;
  const auto named = environment("TMPDIR");
  return named && fs::is_directory(*named, failed) ? *named : "/tmp";
}

}  // namespace perennial
