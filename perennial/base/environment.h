#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace perennial {

/// The value of an environment variable; an empty one counts as unset, as shells and the XDG specification
/// have it.
std::optional<std::string> environment(const char* name);

/// $TMPDIR when that is a folder, else /tmp.
std::filesystem::path temporary_folder();

}  // namespace perennial
