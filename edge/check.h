#pragma once

#include <string>

#include "edge/model.h"

namespace perennial::edge {

/// Checks tensors, operations and ports against each other; throws BadModel that begins with `name`.
void check(const Model& model, const Header& header, const std::string& name);

}  // namespace perennial::edge
