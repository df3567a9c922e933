// Compiled once for each instruction set, as kernels.cpp is.
#include "edge/kernels/quantised.h"

// As in kernels.cpp.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "edge/kernels/quantised.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "edge/kernels/quantised-inl.h"

HWY_BEFORE_NAMESPACE();
namespace perennial::edge::HWY_NAMESPACE {

template <class Dots>
const QuantisedKernels& quantised_table() {
  static const QuantisedKernels all{Dots::kWords, Dots::kZero, pack<Dots>, quantised_pointwise<Dots>,
                                    quantised_convolution<Dots>};
  return all;
}

const QuantisedKernels& quantised_kernels() { return quantised_table<Dots>(); }
#if PERENNIAL_BYTE_DOTS
const QuantisedKernels& byte_dot_kernels() { return quantised_table<ByteDots>(); }
#endif

}  // namespace perennial::edge::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace perennial::edge {

namespace {
constexpr size_t kMostTile = 64;
}

// The offsets of the steps, then the words: a tile of pixels of each quad (or, for one pixel, the quads).
size_t quantised_pointwise_scratch(size_t inputs) { return quads(inputs) * (kMostTile + 1) + kSlack; }

// The offsets, one row, then the ring of rows.
size_t quantised_convolution_scratch(const Spatial& s) {
  const size_t columns = (s.padded_width() + s.stride - 1) / s.stride, rows = quads(s.channels) * s.kernel_h;
  return rows * s.kernel_w + row_step(s.width) + rows * row_step(columns) * s.stride + kSlack;
}

const QuantisedKernels& quantised_kernels(int64_t target) {
#if HWY_TARGETS & HWY_AVX3
  if (target == HWY_AVX3) return N_AVX3::quantised_kernels();
#endif
#if HWY_TARGETS & HWY_AVX2
  if (target == HWY_AVX2) return N_AVX2::quantised_kernels();
#endif
#if HWY_TARGETS & HWY_SSE4
  if (target == HWY_SSE4) return N_SSE4::quantised_kernels();
#endif
  static_cast<void>(target);
  return HWY_STATIC_DISPATCH(quantised_kernels)();
}

#if HWY_TARGETS & HWY_AVX3
const QuantisedKernels& byte_dot_kernels() { return N_AVX3::byte_dot_kernels(); }
#elif HWY_ARCH_ARM_A64
const QuantisedKernels& byte_dot_kernels() { return HWY_STATIC_DISPATCH(byte_dot_kernels)(); }
#endif

}  // namespace perennial::edge
#endif
