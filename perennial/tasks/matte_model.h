#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "edge/format.h"
#include "perennial/io/safetensors.h"
#include "perennial/tasks/sinet_preprocess.h"

namespace perennial {

struct MatteModelOptions {
  int64_t side = 224;  ///< of the square input, a multiple of 32
  SinetStatistics statistics = kSinetPortrait;
  edge::Dtype weights = edge::Dtype::kFloat32;
  /// For kInt8: photographs like those that the model will see, by which the ranges of what lies between the
  /// operations are found.
  std::vector<std::filesystem::path> calibration;
};

/// SINet for portraits as a model file of the edge runtime (.peb), from weights under their published names.
/// Throws std::invalid_argument naming a tensor that is missing or of another shape, or for int8 without
/// photographs; Error for a photograph that cannot be decoded.
std::vector<std::byte> compile_sinet(const TensorFile& weights, const MatteModelOptions& options = {});

/// The same network as an ONNX file: input "image" [1, 3, side, side], blue, green, red, standardised and
/// divided by 255 as sinet_preprocess() does; output "logits" [1, 2, side, side]. Errors as above.
std::string sinet_onnx(const TensorFile& weights, int64_t side = 224,
                       const SinetStatistics& statistics = kSinetPortrait);

/// The model that is used when none is named: $PERENNIAL_MATTE_MODEL, else models/sinet_portrait.peb in the
/// cache folder. Throws Error that says how to put one there.
std::filesystem::path default_matte_model();

}  // namespace perennial
