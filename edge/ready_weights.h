#pragma once

#include <vector>

#include "edge/budget.h"
#include "edge/check.h"
#include "edge/kernels/quantised.h"
#include "edge/model.h"

namespace perennial::edge {

/// The weights of a model's operations as kernels take them: float32 ones where they lie in the file, others
/// widened or packed once, here. Refers to the model's bytes.
class ReadyWeights {
 public:
  /// Throws BadModel when the budget does not have what they widen to.
  ReadyWeights(const Model& model, const Kernels& kernels, Budget& budget);

  /// For float arithmetic; null when the operation has none.
  const float* floats(size_t op) const { return ops_[op].floats; }
  /// For integer arithmetic, from row `first` on; asked only of operations that are integral().
  QuantisedRows rows(size_t op, size_t first) const;
  /// Slopes less one, for Epilogue; null when the operation has none.
  const float* bends(size_t op) const { return ops_[op].bends.empty() ? nullptr : ops_[op].bends.data(); }

 private:
  struct Op {
    const float* floats = nullptr;
    std::vector<float> widened, bends;
    std::vector<int32_t> words, start;
    std::vector<float> step;
    size_t row_words = 0;
    float inverse = 0;
    int32_t zero = 0;
  };
  static void widen(const OpRecord& record, const WeightShape& shape, const Model& model, Op& op);
  static void pack(const OpRecord& record, const WeightShape& shape, const Model& model,
                   const QuantisedKernels& kernels, Op& op);

  std::vector<Op> ops_;
};

/// Whether an operation sums integers.
inline bool integral(const OpRecord& op) { return op.weight_type == Dtype::kInt8 && op.input_step != 0; }

}  // namespace perennial::edge
