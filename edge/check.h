#pragma once

#include <string>

#include "edge/model.h"

namespace perennial::edge {

/// Checks tensors, operations and ports against each other; throws BadModel that begins with `name`.
void check(const Model& model, const Header& header, const std::string& name);

/// The weights of an operation: [rows][channels][taps], all 0 for kinds that have none.
struct WeightShape {
  uint64_t rows = 0, channels = 0, taps = 0;
};
WeightShape weight_shape(const OpRecord& op, const TensorRecord& in, const TensorRecord& out);

}  // namespace perennial::edge
