#include "edge/check.h"

#include <cmath>
#include <cstring>

#include "edge/kernels/kernels.h"

namespace perennial::edge {
namespace {

constexpr uint64_t kMostSide = 1 << 16, kMostChannels = 1 << 16, kMostKernel = 64, kMostPorts = 4096;

class Checker {
 public:
  Checker(const Model& model, const Header& header, std::string where)
      : model_(model), header_(header), where_(std::move(where)) {}

  void tensors() {
    for (size_t i = 0; i < model_.tensors().size(); ++i) {
      const TensorRecord& t = model_.tensors()[i];
      item_ = "tensor " + std::to_string(i);
      require(t.channels >= 1 && t.height >= 1 && t.width >= 1 && t.channels <= kMostChannels &&
                  t.height <= kMostSide && t.width <= kMostSide,
              "a side that is zero or too large");
      require(t.offset <= header_.arena && floats(t) <= header_.arena - t.offset, "it leaves the arena");
    }
  }

  void ports() {
    item_ = "ports";
    require(model_.ports().size() <= kMostPorts, "more than any network has");
    for (size_t i = 0; i < model_.ports().size(); ++i) {
      const PortRecord& p = model_.ports()[i];
      item_ = "port " + std::to_string(i);
      require(p.tensor < model_.tensors().size(), "no such tensor");
      require(p.name < header_.name_bytes, "no such name");
      flags(p);
      for (size_t j = 0; j < i && p.is_output == 0; ++j) {
        const PortRecord& other = model_.ports()[j];
        require(other.is_output != 0 || apart(tensor(p.tensor), tensor(other.tensor)),
                "an input in the place of another");
      }
      if (p.divisor == 0) continue;
      require(tensor(p.tensor).channels == 3, "an image has three planes");
      require(std::isfinite(p.divisor), "a divisor that is no number");
      for (const float s : p.std) require(std::isfinite(s) && s != 0, "a standard deviation of zero");
    }
  }

  void operations() {
    for (size_t i = 0; i < model_.ops().size(); ++i) {
      item_ = "operation " + std::to_string(i);
      operation(model_.ops()[i]);
    }
  }

 private:
  void flags(const PortRecord& p) {
    require(p.flags < kPortFlags, "a flag that this version does not know");
    require((p.flags & (kCentre | kGrey)) == 0 || (p.flags & kRounded) != 0,
            "an image to be cut or grey without being rounded");
    require(p.is_output != 0 || (p.flags & (kClassScores | kLabelled)) == 0, "an input that is an answer");
    if ((p.flags & kLabelled) != 0) labels(p);
  }

  // Labels of several ports are apart: what is looked at here is no more than the names.
  void labels(const PortRecord& p) {
    const TensorRecord& t = tensor(p.tensor);
    require(t.height == 1 && t.width == 1, "labels of planes");
    const char* at = model_.name(p.name);
    for (uint64_t i = 0; i <= t.channels; ++i) {
      const uint64_t left = header_.name_bytes - static_cast<uint64_t>(at - model_.name(0));
      require(left > 0, "fewer labels than channels");
      const uint64_t bytes = std::strlen(at) + 1;
      require(i == 0 || bytes <= kLongestLabel, "a label that is too long");
      labelled_ += bytes;
      require(labelled_ <= header_.name_bytes, "labels that overlap");
      at += bytes;
    }
  }

  void require(bool good, const char* what) const {
    if (!good) throw BadModel(where_ + ": " + item_ + ": " + what);
  }
  static uint64_t floats(const TensorRecord& t) { return uint64_t{t.channels} * t.height * t.width; }
  const TensorRecord& tensor(uint32_t index) const {
    require(index < model_.tensors().size(), "no such tensor");
    return model_.tensors()[index];
  }
  void stored(uint64_t at, uint64_t count, uint64_t size, const char* what) const {
    require(at <= header_.weights && count * size <= header_.weights - at, what);
    require(at % size == 0, "weights that are not aligned");
  }
  void optional_floats(uint64_t at, uint64_t count, const char* what) const {
    if (at != kNoWeight) stored(at, count, sizeof(float), what);
  }
  static bool same_size(const TensorRecord& a, const TensorRecord& b) {
    return a.height == b.height && a.width == b.width;
  }
  static bool apart(const TensorRecord& a, const TensorRecord& b) {
    return a.offset + floats(a) <= b.offset || b.offset + floats(b) <= a.offset;
  }

  void operation(const OpRecord& op) const {
    require(static_cast<uint32_t>(op.kind) < kOpKinds, "an operation that this version does not know");
    require(op.activation <= static_cast<uint32_t>(Epilogue::Activation::kPrelu), "an unknown activation");
    require(op.name < header_.name_bytes, "no such name");
    const TensorRecord &in = tensor(op.input), &out = tensor(op.output);
    require(apart(in, out), "it writes over its input");
    optional_floats(op.bias, out.channels, "too few biases");
    optional_floats(op.skip_scale, out.channels, "too few skip scales");
    optional_floats(op.slope, out.channels, "too few slopes");
    require(op.slope != kNoWeight || op.activation != static_cast<uint32_t>(Epilogue::Activation::kPrelu),
            "no slopes");
    if (op.skip != kNoTensor) {
      const TensorRecord& skip = tensor(op.skip);
      require(skip.channels == out.channels && same_size(skip, out) && apart(skip, out),
              "a skip of another shape");
    }
    require(op.input_scale == kNoTensor || op.kind == OpKind::kPointwise, "a scale that nothing takes");
    shapes(op, in, out);
    weights(op, weight_shape(op, in, out));
  }

  void weights(const OpRecord& op, const WeightShape& shape) const {
    require(static_cast<uint32_t>(op.weight_type) < kDtypes,
            "weights of a type that this version does not know");
    const bool plain = op.weight_type == Dtype::kFloat32;
    const uint64_t count = shape.rows * shape.channels * shape.taps;
    require(plain || (count > 0 && op.kind != OpKind::kAffine), "an operation of float32 alone");
    if (count == 0 || (op.kind == OpKind::kAffine && op.weight == kNoWeight)) return;
    constexpr uint64_t kSizes[kDtypes] = {4, 2, 1};
    stored(op.weight, count, kSizes[static_cast<uint32_t>(op.weight_type)], "too few weights");
    if (op.weight_type == Dtype::kInt8) integers(op, shape);
  }

  void integers(const OpRecord& op, const WeightShape& shape) const {
    stored(op.weight_step, shape.rows, sizeof(float), "too few steps");
    if (op.input_step == 0) return;
    require(sums_integers(op.kind) && op.dilation <= 1, "an operation that has no integer arithmetic");
    // Subnormal steps are zero while the model runs.
    require(op.input_step > 0 && std::isnormal(op.input_step) && std::isfinite(1 / op.input_step),
            "an input step that is no positive number");
    require(op.input_zero <= 255, "a zero that is beyond 8 bits");
    require(shape.channels * shape.taps <= kMostTerms, "more terms than 32 bits can sum");
  }

  void shapes(const OpRecord& op, const TensorRecord& in, const TensorRecord& out) const {
    switch (op.kind) {
      case OpKind::kPointwise: return pointwise(op, in, out);
      case OpKind::kDepthwise:
        require(in.channels == out.channels, "channels differ");
        return spatial(op, in, out);
      case OpKind::kConvolution: return spatial(op, in, out);
      case OpKind::kMaxPool:
        require(in.channels == out.channels, "channels differ");
        require(op.dilation <= 1, "a dilated pool");
        spatial(op, in, out);
        return require(op.pad_h < op.kernel_h && op.pad_w < op.kernel_w &&
                           (uint64_t{out.height} - 1) * op.stride < uint64_t{in.height} + op.pad_h &&
                           (uint64_t{out.width} - 1) * op.stride < uint64_t{in.width} + op.pad_w,
                       "a largest value of nothing");
      case OpKind::kAffine:
        return require(in.channels == out.channels && same_size(in, out), "shapes differ");
      case OpKind::kResize: return require(in.channels == out.channels, "channels differ");
      case OpKind::kAveragePool:
        require(op.kernel_h >= 1 && op.kernel_h <= kMostSide, "a factor of zero");
        return require(in.channels == out.channels && uint64_t{out.height} * op.kernel_h == in.height &&
                           uint64_t{out.width} * op.kernel_h == in.width,
                       "sides that the factor does not divide");
      case OpKind::kPlaneMeans:
        return require(in.channels == out.channels && out.height == 1 && out.width == 1,
                       "expected one number a plane");
      case OpKind::kDense:
        return require(in.height == 1 && in.width == 1 && out.height == 1 && out.width == 1,
                       "expected vectors");
      case OpKind::kGate: {
        const TensorRecord& detail = tensor(op.second);
        return require(in.channels == out.channels && same_size(in, out) && detail.channels == out.channels &&
                           same_size(detail, out) && apart(detail, out),
                       "shapes differ");
      }
    }
  }

  void pointwise(const OpRecord& op, const TensorRecord& in, const TensorRecord& out) const {
    require(op.groups >= 1 && in.channels % op.groups == 0 && out.channels % op.groups == 0,
            "groups that do not divide");
    require(same_size(in, out), "sizes differ");
    if (op.input_scale == kNoTensor) return;
    const TensorRecord& scale = tensor(op.input_scale);
    require(scale.channels == in.channels && scale.height == 1 && scale.width == 1,
            "a scale of another shape");
  }

  void spatial(const OpRecord& op, const TensorRecord& in, const TensorRecord& out) const {
    require(op.kernel_h >= 1 && op.kernel_w >= 1 && op.kernel_h <= kMostKernel && op.kernel_w <= kMostKernel,
            "a kernel of no size");
    require(op.stride == 1 || op.stride == 2, "a stride that is neither 1 nor 2");
    require(op.pad_h <= kMostKernel && op.pad_w <= kMostKernel, "too much padding");
    // The zeros below and on the right follow from the output's size.
    require(op.dilation <= kMostSide, "a dilation of that size");
    const auto fits = [&](uint64_t side, uint64_t from, uint64_t kernel, uint64_t pad) {
      const uint64_t reach = (kernel - 1) * std::max(1U, op.dilation) + 1;
      return (side - 1) * op.stride + reach <= from + pad + kMostKernel;
    };
    require(fits(out.height, in.height, op.kernel_h, op.pad_h) &&
                fits(out.width, in.width, op.kernel_w, op.pad_w),
            "an output of another size");
  }

  const Model& model_;
  const Header& header_;
  std::string where_, item_;
  uint64_t labelled_ = 0;  ///< bytes of the labels of all ports, and of their ports' names
};

}  // namespace

WeightShape weight_shape(const OpRecord& op, const TensorRecord& in, const TensorRecord& out) {
  const uint64_t taps = uint64_t{op.kernel_h} * op.kernel_w;
  switch (op.kind) {
    case OpKind::kPointwise: return {out.channels, in.channels / op.groups, 1};
    case OpKind::kDense: return {out.channels, in.channels, 1};
    case OpKind::kDepthwise: return {out.channels, 1, taps};
    case OpKind::kConvolution: return {out.channels, in.channels, taps};
    case OpKind::kAffine: return {out.channels, 1, 1};
    default: return {};
  }
}

void check(const Model& model, const Header& header, const std::string& name) {
  Checker checker(model, header, name);
  checker.tensors();
  checker.ports();
  checker.operations();
}

}  // namespace perennial::edge
