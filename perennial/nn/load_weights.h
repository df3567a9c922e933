#pragma once

#include <string>

#include "perennial/nn/module.h"

namespace perennial {

enum class Weights { kLearn, kStay };  ///< kStay: TensorList::adopt()

/// TensorList::load() for weights that somebody brings: each tensor must hold finite numbers in floating
/// point, of any size. Otherwise an Error that names `source`, the tensor and what it holds.
void load_weights(TensorList& tensors, const TensorMap& in, const std::string& prefix,
                  const std::string& source, Weights weights = Weights::kLearn);

}  // namespace perennial
