// Per-target include guard of Highway: this file is compiled once for each instruction set.
#if defined(PERENNIAL_EDGE_EPILOGUE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PERENNIAL_EDGE_EPILOGUE_INL_H_
#undef PERENNIAL_EDGE_EPILOGUE_INL_H_
#else
#define PERENNIAL_EDGE_EPILOGUE_INL_H_
#endif

#include <algorithm>
#include <cstring>
#include <hwy/highway.h>

#include "edge/kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace perennial::edge::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// Without vectors: blocks of them would be code for nobody.
constexpr bool kScalar = HWY_TARGET == HWY_SCALAR;

/// A vector that is read once and stays in a register: left alone, GCC reads memory again for every use of
/// it.
HWY_INLINE V load_once(const float* from) {
  V v = hn::LoadU(D(), from);
#if HWY_COMPILER_GCC_ACTUAL && HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  __asm__("" : "+v"(v.raw));
#elif HWY_COMPILER_GCC_ACTUAL && HWY_ARCH_ARM && HWY_TARGET != HWY_SCALAR
  __asm__("" : "+w"(v.raw));
#endif
  return v;
}

/// x above 0, x * (bend + 1) below; in two operations.
HWY_INLINE V prelu(V x, V bend) { return hn::MulAdd(bend, hn::Min(hn::Zero(D()), x), x); }

/// The epilogue of one channel.
struct ChannelEpilogue {
  HWY_INLINE ChannelEpilogue(const Epilogue& e, size_t channel, size_t plane)
      : bias(e.bias ? e.bias[channel] : 0.0F),
        skip(e.skip ? e.skip + channel * plane : nullptr),
        skip_scale(e.skip_scale ? e.skip_scale[channel] : 1.0F),
        activation(e.activation),
        bend(e.bend ? e.bend[channel] : 0.0F),
        low(e.low),
        high(e.high) {}

  /// What sums begin with, so that adding it costs nothing: bias + skip * skip_scale. The one of index i is
  /// for the pixels from at + i * step on.
  template <size_t N>
  HWY_INLINE void start(V (&sum)[N], size_t at, size_t step) const {
    const D d;
    HWY_UNROLL(8)
    for (size_t i = 0; i < N; ++i) sum[i] = hn::Set(d, bias);
    if (skip == nullptr) return;
    HWY_UNROLL(8)
    for (size_t i = 0; i < N; ++i)
      sum[i] = hn::MulAdd(hn::LoadU(d, skip + at + i * step), hn::Set(d, skip_scale), sum[i]);
  }

  template <size_t N>
  HWY_INLINE void finish(V (&sum)[N]) const {
    const D d;
    if (activation == Epilogue::Activation::kPrelu) {
      HWY_UNROLL(8)
      for (size_t i = 0; i < N; ++i) sum[i] = prelu(sum[i], hn::Set(d, bend));
    } else if (activation == Epilogue::Activation::kClamp) {
      HWY_UNROLL(8)
      for (size_t i = 0; i < N; ++i) sum[i] = hn::Min(hn::Max(sum[i], hn::Set(d, low)), hn::Set(d, high));
    }
  }

  HWY_INLINE V apply(V y, size_t at) const {
    V sum[1];
    start(sum, at, 0);
    sum[0] = hn::Add(y, sum[0]);
    finish(sum);
    return sum[0];
  }

  float bias;
  const float* skip;
  float skip_scale;
  Epilogue::Activation activation;
  float bend, low, high;
};

/// The same of O channels, `step` apart: what they have in common is asked once.
template <size_t O>
struct BlockEpilogue {
  HWY_INLINE BlockEpilogue(const Epilogue& epilogue, size_t first_channel, size_t channel_step, size_t pixels)
      : e(epilogue), first(first_channel), step(channel_step), plane(pixels) {}

  template <size_t N>
  HWY_INLINE void start(V (&sum)[O][N], size_t at, size_t next) const {
    const D d;
    const Constant bias = constant(e.bias, kZero);
    HWY_UNROLL(16)
    for (size_t o = 0; o < O; ++o) {
      HWY_UNROLL(8)
      for (size_t i = 0; i < N; ++i) sum[o][i] = hn::Set(d, bias.of(o));
    }
    if (e.skip == nullptr) return;
    const Constant scale = constant(e.skip_scale, kOne);
    const float* skip = e.skip + first * plane + at;
    HWY_UNROLL(16)
    for (size_t o = 0; o < O; ++o, skip += step * plane) {
      HWY_UNROLL(8)
      for (size_t i = 0; i < N; ++i)
        sum[o][i] = hn::MulAdd(hn::LoadU(d, skip + i * next), hn::Set(d, scale.of(o)), sum[o][i]);
    }
  }

  template <size_t N>
  HWY_INLINE void finish(V (&sum)[O][N]) const {
    const D d;
    if (e.activation == Epilogue::Activation::kPrelu) {
      HWY_UNROLL(16)
      for (size_t o = 0; o < O; ++o) {
        const V bend = hn::Set(d, e.bend[first + o * step]);
        HWY_UNROLL(8)
        for (size_t i = 0; i < N; ++i) sum[o][i] = prelu(sum[o][i], bend);
      }
    } else if (e.activation == Epilogue::Activation::kClamp) {
      const V low = hn::Set(d, e.low), high = hn::Set(d, e.high);
      HWY_UNROLL(16)
      for (size_t o = 0; o < O; ++o) {
        HWY_UNROLL(8)
        for (size_t i = 0; i < N; ++i) sum[o][i] = hn::Min(hn::Max(sum[o][i], low), high);
      }
    }
  }

 private:
  struct Constant {
    HWY_INLINE float of(size_t o) const { return at[o * step]; }
    const float* at;
    size_t step;
  };
  HWY_INLINE Constant constant(const float* by_channel, const float& otherwise) const {
    return by_channel != nullptr ? Constant{by_channel + first, step} : Constant{&otherwise, 0};
  }
  static constexpr float kZero = 0, kOne = 1;

  const Epilogue& e;
  size_t first, step, plane;
};

/// Every second float of two vectors that follow one another.
HWY_INLINE V evens(V high, V low) {
#if HWY_TARGET == HWY_SCALAR
  return (void)high, low;
#else
  return hn::ConcatEven(D(), high, low);
#endif
}
HWY_INLINE V odds(V high, V low) {
#if HWY_TARGET == HWY_SCALAR
  return (void)low, high;
#else
  return hn::ConcatOdd(D(), high, low);
#endif
}

/// The first `count` lanes; nothing behind them is touched (a blended store of 16 bytes would write it back).
HWY_INLINE void store_part(V v, float* to, size_t count) {
  const D d;
#if HWY_MAX_BYTES >= 32
  hn::BlendedStore(v, hn::FirstN(d, count), d, to);
#else
  HWY_ALIGN float lanes[hn::MaxLanes(D())];
  hn::Store(v, d, lanes);
  std::memcpy(to, lanes, count * sizeof(float));
#endif
}

/// Where vector `index` of a row of `width` begins: the last one ends where the row does.
HWY_INLINE size_t vector_at(size_t index, size_t width) {
  const size_t lanes = hn::Lanes(D());
  return width < lanes ? 0 : std::min(index * lanes, width - lanes);
}

/// All lanes, or the first `count` when there are fewer.
HWY_INLINE void store_upto(V v, float* to, size_t count) {
  const D d;
  if (count >= hn::Lanes(d))
    hn::StoreU(v, d, to);
  else
    store_part(v, to, count);
}

}  // namespace perennial::edge::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
