#pragma once

#include <cstdint>
#include <vector>

#include "edge/format.h"

namespace perennial::edge {

/// Which real numbers 8 bits stand for: step * (q - zero), q in 0..255 (TFLite's scale and zero point; an
/// int8 zero point is moved by 128). A step of 0: not known.
struct ValueRange {
  float step = 0;
  uint32_t zero = 0;
};

/// The range that covers low..high and holds 0 exactly; both ends are widened to 0. Empty when nothing but 0
/// is covered or an end is no number.
ValueRange range_of(float low, float high);

/// What compile() makes of trained weights.
///
/// kFloat32: as they are. kBfloat16: convolutions and dense layers are stored in 16 bits, rounded to the
/// nearest even, and computed in float32. kInt8: 1x1 and general convolutions and dense layers are stored as
/// step * q, q in -127..127, a step for each output channel, by the largest magnitude or as Node::weight_step
/// says; those whose input has a range also compute with 8-bit integers, exactly summed. Depthwise weights
/// are bfloat16 (int8 where Node::weight_step is known); layers of fewer than four outputs in a group,
/// dilated convolutions of one group and sums of more than kMostTerms float32; and everything that lies
/// between operations is float32.
///
/// Ranges come from Node::range (a checkpoint that stores them), or from `inputs` (calibrate.h), which only
/// fill in where the graph knows none.
struct Precision {
  Dtype weights = Dtype::kFloat32;
  std::vector<ValueRange> inputs;  ///< of each operation, in the order of Model::ops(); or none
};

}  // namespace perennial::edge
