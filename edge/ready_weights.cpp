#include "edge/ready_weights.h"

#include <algorithm>
#include <bit>
#include <iterator>

namespace perennial::edge {
ReadyWeights::ReadyWeights(const Model& model, const Kernels& kernels, Budget& budget) {
  budget.take(model.ops().size() * sizeof(Op));
  ops_.resize(model.ops().size());
  for (size_t i = 0; i < ops_.size(); ++i) {
    const OpRecord& record = model.ops()[i];
    const TensorRecord &in = model.tensors()[record.input], &out = model.tensors()[record.output];
    const WeightShape shape = weight_shape(record, in, out);
    if (const float* slope = model.weight(record.slope)) {
      budget.take(out.channels * sizeof(float));
      ops_[i].bends.reserve(out.channels);
      std::transform(slope, slope + out.channels, std::back_inserter(ops_[i].bends),
                     [](float s) { return s - 1; });
    }
    if (shape.rows == 0 || record.weight == kNoWeight) continue;
    if (record.weight_type == Dtype::kFloat32) {
      ops_[i].floats = model.weight(record.weight);
      continue;
    }
    const QuantisedKernels& integers = *kernels.integers;
    const uint64_t row = integral(record) ? quads(shape.channels) * shape.taps * integers.words_per_quad + 2
                                          : shape.channels * shape.taps;
    budget.take((shape.rows * row + kSlack) * sizeof(float));
    if (integral(record))
      pack(record, shape, model, integers, ops_[i]);
    else
      widen(record, shape, model, ops_[i]);
  }
}

void ReadyWeights::widen(const OpRecord& record, const WeightShape& shape, const Model& model, Op& op) {
  const size_t each = shape.channels * shape.taps, count = shape.rows * each;
  op.widened.resize(count);
  if (record.weight_type == Dtype::kBfloat16) {
    const auto* from = static_cast<const uint16_t*>(model.stored(record.weight));
    for (size_t i = 0; i < count; ++i) op.widened[i] = std::bit_cast<float>(uint32_t{from[i]} << 16);
  } else {
    const auto* from = static_cast<const int8_t*>(model.stored(record.weight));
    const float* step = model.weight(record.weight_step);
    for (size_t i = 0; i < count; ++i) op.widened[i] = static_cast<float>(from[i]) * step[i / each];
  }
  op.floats = op.widened.data();
}

void ReadyWeights::pack(const OpRecord& record, const WeightShape& shape, const Model& model,
                        const QuantisedKernels& kernels, Op& op) {
  const auto* from = static_cast<const int8_t*>(model.stored(record.weight));
  const float* step = model.weight(record.weight_step);
  const size_t each = shape.channels * shape.taps;
  op.row_words = quads(shape.channels) * shape.taps * kernels.words_per_quad;
  op.words.resize(shape.rows * op.row_words + kSlack);
  kernels.pack(from, shape.rows, shape.channels, shape.taps, op.words.data());
  op.zero = static_cast<int32_t>(record.input_zero);
  op.inverse = 1 / record.input_step;
  op.start.reserve(shape.rows), op.step.reserve(shape.rows);
  for (size_t r = 0; r < shape.rows; ++r) {
    int32_t sum = 0;
    for (size_t k = 0; k < each; ++k) sum += from[r * each + k];
    op.start.push_back((kernels.byte_zero - op.zero) * sum);
    op.step.push_back(step[r] * record.input_step);
  }
}

QuantisedRows ReadyWeights::rows(size_t op, size_t first) const {
  const Op& o = ops_[op];
  return {o.words.data() + first * o.row_words, o.start.data() + first, o.step.data() + first, o.inverse,
          o.zero};
}

}  // namespace perennial::edge
