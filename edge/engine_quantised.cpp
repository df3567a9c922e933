#include "edge/engine.h"
#include "edge/split-inl.h"

namespace perennial::edge {
namespace {

constexpr size_t kSpeedUp = 2;  // of an integer multiply-add to one of floats

}  // namespace

size_t Engine::quantised_scratch(const OpRecord& op) const {
  const TensorRecord &in = model_.tensors()[op.input], &out = model_.tensors()[op.output];
  if (op.kind == OpKind::kConvolution) return quantised_convolution_scratch(spatial(op));
  return quantised_pointwise_scratch(weight_shape(op, in, out).channels);
}

void Engine::quantised_convolution(const OpRecord& op, const Epilogue& e) {
  const Spatial s = spatial(op);
  const QuantisedRows rows = weights_.rows(index_of(op), 0);
  split(s.out_height, kLeastRows, s.out_width * s.kernel_h * s.kernel_w * s.channels * s.outputs / kSpeedUp,
        [&](Range range, size_t part) {
          kernels_.integers->convolution({s, rows, words_.data() + part * part_words_}, e, range);
        });
}

void Engine::quantised(const OpRecord& op, const Epilogue& e) {
  if (op.kind == OpKind::kConvolution) return quantised_convolution(op, e);
  const TensorRecord &in = model_.tensors()[op.input], &out = model_.tensors()[op.output];
  const bool interleave = (op.flags & kInterleaveGroups) != 0;
  const size_t inputs = weight_shape(op, in, out).channels, groups = in.channels / inputs,
               outputs = out.channels / groups;
  const size_t pixels = size_t{in.height} * in.width;
  for (size_t g = 0; g < groups; ++g) {
    const size_t first = interleave ? g : g * outputs;
    const QuantisedPointwise work{
        planes(op.input).data() + g * inputs * pixels,
        op.input_scale == kNoTensor ? nullptr : planes(op.input_scale).data() + g * inputs,
        planes(op.output).data() + first * pixels,
        weights_.rows(index_of(op), g * outputs),
        inputs,
        outputs,
        pixels,
        interleave ? groups : 1};
    const Epilogue own = e.from(first, pixels);
    split_pixels(pixels, inputs * outputs / kSpeedUp, [&](Range range, size_t part) {
      kernels_.integers->pointwise(work, own, range, words_.data() + part * part_words_);
    });
  }
}

}  // namespace perennial::edge
