// Convolutions as products: the inputs of every output lie side by side, so that planes narrower than a
// vector fill it all the same.
#include <algorithm>

#include "edge/engine.h"
#include "edge/split-inl.h"

namespace perennial::edge {
namespace {

constexpr uint64_t kMostFloats = uint64_t{1} << 19;  // that stay in the second cache or near it
constexpr uint32_t kFewestChannels = 128, kWidest = 16;

// What one tap of one plane gives to each output, zeros where it lies beside the plane.
void lay_out(const Spatial& s, const float* plane, size_t ky, size_t kx, float* to) {
  const auto width = static_cast<int64_t>(s.width), step = static_cast<int64_t>(s.stride);
  const int64_t left = static_cast<int64_t>(kx * s.dilation) - static_cast<int64_t>(s.pad_w);
  for (size_t y = 0; y < s.out_height; ++y, to += s.out_width) {
    const size_t row = y * s.stride + ky * s.dilation - s.pad_h;  // huge above the plane
    if (row >= s.height) {
      std::fill_n(to, s.out_width, 0.0F);
      continue;
    }
    const float* from = plane + row * s.width;
    for (size_t x = 0; x < s.out_width; ++x) {
      const int64_t at = static_cast<int64_t>(x) * step + left;
      to[x] = at >= 0 && at < width ? from[at] : 0.0F;
    }
  }
}

}  // namespace

size_t Engine::laid_out_floats(const OpRecord& op) const {
  if (op.kind != OpKind::kConvolution || integral(op)) return 0;
  const TensorRecord &in = model_.tensors()[op.input], &out = model_.tensors()[op.output];
  const uint64_t count = uint64_t{in.channels} * op.kernel_h * op.kernel_w * uint64_t{out.height} * out.width;
  const bool pays = std::min(in.channels, out.channels) >= kFewestChannels && out.width <= kWidest;
  return pays && count <= kMostFloats ? count : 0;
}

void Engine::laid_out(const OpRecord& op, const Epilogue& e) {
  const Spatial s = spatial(op);
  const size_t taps = s.kernel_h * s.kernel_w, pixels = s.out_height * s.out_width,
               inputs = s.channels * taps;
  float* columns = memory_.get() + scratch_at_;
  split(s.channels, 1, taps * pixels, [&](Range part) {
    for (size_t c = part.begin; c < part.end; ++c)
      for (size_t tap = 0; tap < taps; ++tap)
        lay_out(s, s.in + c * s.height * s.width, tap / s.kernel_w, tap % s.kernel_w,
                columns + (c * taps + tap) * pixels);
  });
  split(s.outputs, 6, inputs * pixels, [&](Range part) {
    const Pointwise work{columns, s.out + part.begin * pixels, s.weight + part.begin * inputs,
                         inputs,  part.end - part.begin,       pixels,
                         1};
    kernels_.pointwise(work, e.from(part.begin, pixels), {0, pixels});
  });
}

}  // namespace perennial::edge
