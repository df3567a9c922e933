#include "perennial/base/places.h"

#include <filesystem>
#include <stdexcept>

#include <fmt/format.h>

#include "perennial/base/utf8.h"

namespace perennial {
namespace {

/// "splits:" of "splits:DIR", or nothing.
std::string kind_with_place(const std::string& source) {
  const size_t colon = source.find(':');
  if (colon == std::string::npos || colon + 1 == source.size()) return "";
  const std::string kind = source.substr(0, colon + 1);
  return kind == "sym:" || kind == "asym:" ? "" : kind;
}

}  // namespace

std::string path_from_root(const std::string& option, const std::string& path) {
  if (path.empty()) return path;
  const std::string full = std::filesystem::absolute(path).lexically_normal().string();
  if (!is_utf8(full))
    throw std::invalid_argument(
        fmt::format("{}: expected a path in UTF-8, found '{}'", option, visible(full)));
  return full;
}

std::string source_from_root(const std::string& option, const std::string& source) {
  const std::string kind = kind_with_place(source);
  return kind.empty() ? source : kind + path_from_root(option, source.substr(kind.size()));
}

std::string place_in(const std::string& source, const std::string& kind) {
  return kind_with_place(source) == kind + ":" ? source.substr(kind.size() + 1) : "";
}

std::string moved_source(const std::string& option, const std::string& was, const std::string& now) {
  const std::string kind = kind_with_place(was);
  if (kind.empty() || kind_with_place(now) != kind)
    throw std::invalid_argument(
        fmt::format("{}: {}, found '{}'", option,
                    kind.empty() ? "'" + was + "' of this run names no file that could have been moved"
                                 : "expected where the run's files lie now, " + kind + "PATH",
                    now));
  return source_from_root(option, now);
}

}  // namespace perennial
