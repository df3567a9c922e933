#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "perennial/io/safetensors.h"
#include "perennial/tasks/sinet_preprocess.h"

namespace perennial {

/// SINet for portraits as a model file of the edge runtime (.peb), from weights under their published names.
/// `side`: of its square input, a multiple of 32. Throws std::invalid_argument naming a tensor that is
/// missing or of another shape.
std::vector<std::byte> compile_sinet(const TensorFile& weights, int64_t side = 224,
                                     const SinetStatistics& statistics = kSinetPortrait);

/// The same network as an ONNX file: input "image" [1, 3, side, side], blue, green, red, standardised and
/// divided by 255 as sinet_preprocess() does; output "logits" [1, 2, side, side]. Errors as above.
std::string sinet_onnx(const TensorFile& weights, int64_t side = 224,
                       const SinetStatistics& statistics = kSinetPortrait);

/// The model that is used when none is named: $PERENNIAL_MATTE_MODEL, else models/sinet_portrait.peb in the
/// cache folder. Throws Error that says how to put one there.
std::filesystem::path default_matte_model();

}  // namespace perennial
