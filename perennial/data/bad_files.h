#pragma once

#include <optional>
#include <string>
#include <vector>

#include "perennial/base/error.h"

namespace perennial {

/// Where files failed, throws the first of their errors; `remedy` and the names of some other bad files stand
/// behind it.
void throw_bad(const std::vector<std::optional<Error>>& errors, const std::string& remedy);

}  // namespace perennial
