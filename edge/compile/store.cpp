#include "edge/compile/store.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace perennial::edge {
namespace {

constexpr float kMostLevel = 127;
constexpr int kFewestRows = 4;

uint16_t to_bfloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (!std::isfinite(value)) return static_cast<uint16_t>(bits >> 16);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float largest(const float* row, size_t count) {
  float most = 0;
  for (size_t k = 0; k < count; ++k) most = std::max(most, std::abs(row[k]));
  return most;
}

// A step that a checkpoint gives holds unless the row does not fit into it.
float step_of(const float* row, size_t count, float known) {
  const float most = largest(row, count);
  return known > 0 && most <= (kMostLevel + 0.5F) * known ? known : most / kMostLevel;
}

class Storer {
 public:
  explicit Storer(Program& program) : p_(program) {}

  void operation(Program::Op& op, const Precision& precision, const ValueRange& range) {
    const Dtype type = op.kind == OpKind::kAffine || op.weight == kNoWeight ? Dtype::kFloat32
                                                                            : type_of(op, precision.weights);
    if (type == Dtype::kInt8)
      integers(op, range);
    else if (type == Dtype::kBfloat16)
      halves(op);
    else
      op.weight = floats(op.weight);
    op.bias = floats(op.bias), op.slope = floats(op.slope), op.skip_scale = floats(op.skip_scale);
  }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  template <class T>
  uint64_t append(const std::vector<T>& values) {
    bytes_.resize((bytes_.size() + sizeof(T) - 1) / sizeof(T) * sizeof(T));
    const size_t at = bytes_.size();
    bytes_.resize(at + values.size() * sizeof(T));
    if (!values.empty()) std::memcpy(bytes_.data() + at, values.data(), values.size() * sizeof(T));
    return at;
  }
  const std::vector<float>& values(uint64_t weight) const { return p_.weights[weight]; }
  uint64_t floats(uint64_t weight) { return weight == kNoWeight ? kNoWeight : append(values(weight)); }

  // To round an input costs more than few rows save; and mostly they are the network's answer. Depthwise
  // weights are few, and the answer suffers most from theirs.
  Dtype type_of(const Program::Op& op, Dtype wanted) const {
    if (wanted != Dtype::kInt8) return wanted;
    if (op.kind == OpKind::kDepthwise) return op.known_steps.empty() ? Dtype::kBfloat16 : Dtype::kInt8;
    const bool few = p_.tensors[op.output].channels < kFewestRows * static_cast<int>(op.groups);
    // What no kernel of integers does.
    const bool dilated = op.kind == OpKind::kConvolution && op.dilation > 1;
    const auto rows = static_cast<size_t>(p_.tensors[op.output].channels);
    const bool long_sums = values(op.weight).size() / rows > kMostTerms;
    return few || dilated || long_sums ? Dtype::kFloat32 : Dtype::kInt8;
  }

  void halves(Program::Op& op) {
    std::vector<uint16_t> all;
    for (const float v : values(op.weight)) all.push_back(to_bfloat16(v));
    op.weight_type = Dtype::kBfloat16;
    op.weight = append(all);
  }

  void integers(Program::Op& op, const ValueRange& range) {
    const std::vector<float>& all = values(op.weight);
    const auto rows = static_cast<size_t>(p_.tensors[op.output].channels);
    const size_t each = all.size() / rows;
    std::vector<float> steps(rows);
    std::vector<int8_t> levels(all.size());
    for (size_t r = 0; r < rows; ++r) {
      const float* row = all.data() + r * each;
      steps[r] = step_of(row, each, op.known_steps.empty() ? 0.0F : op.known_steps[r]);
      for (size_t k = 0; k < each && steps[r] > 0; ++k)
        levels[r * each + k] =
            static_cast<int8_t>(std::clamp(std::nearbyint(row[k] / steps[r]), -kMostLevel, kMostLevel));
    }
    op.weight_type = Dtype::kInt8;
    op.weight_step = append(steps);
    op.weight = append(levels);
    if (sums_integers(op.kind)) op.input_step = range.step, op.input_zero = range.zero;
  }

  Program& p_;
  std::vector<std::byte> bytes_;
};

}  // namespace

ValueRange range_of(float low, float high) {
  low = std::min(0.0F, low), high = std::max(0.0F, high);
  if (!std::isfinite(high - low) || high - low < 1e-30F) return {};
  const float step = (high - low) / 255;
  return {step, static_cast<uint32_t>(std::clamp(std::nearbyint(-low / step), 0.0F, 255.0F))};
}

std::vector<std::byte> store(Program& program, const Precision& precision) {
  const auto& ranges = precision.inputs;
  if (!ranges.empty() && ranges.size() != program.ops.size())
    throw std::invalid_argument("ranges of " + std::to_string(ranges.size()) +
                                " operations, for a model of " + std::to_string(program.ops.size()));
  Storer storer(program);
  for (size_t i = 0; i < program.ops.size(); ++i) {
    Program::Op& op = program.ops[i];
    const bool known = op.input_range.step > 0 || ranges.empty();
    storer.operation(op, precision, known ? op.input_range : ranges[i]);
  }
  return storer.take();
}

}  // namespace perennial::edge
