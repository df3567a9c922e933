#if defined(PERENNIAL_EDGE_POINTWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PERENNIAL_EDGE_POINTWISE_INL_H_
#undef PERENNIAL_EDGE_POINTWISE_INL_H_
#else
#define PERENNIAL_EDGE_POINTWISE_INL_H_
#endif

#include <algorithm>
#include <hwy/cache_control.h>

#include "edge/kernels/epilogue-inl.h"

HWY_BEFORE_NAMESPACE();
namespace perennial::edge::HWY_NAMESPACE {

// O output channels by T vectors of pixels: the sums stay in registers (6 x 4 of AVX-512's 32, 6 x 2
// elsewhere). kFetchNext: the input of the next T vectors is fetched meanwhile.
template <size_t O, size_t T, bool kFetchNext = false>
HWY_INLINE void pointwise_block(const Pointwise& a, const Epilogue& e, size_t o, size_t p, size_t count) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V sum[O][T];
  const BlockEpilogue<O> end(e, o * a.out_step, a.out_step, a.pixels);
  end.start(sum, p, lanes);
  const float* weight = a.weight + o * a.inputs;
  const float* in = a.in + p;
  for (size_t k = 0; k < a.inputs; ++k, in += a.pixels) {
    V x[T];
    HWY_UNROLL(8)
    for (size_t t = 0; t < T; ++t) {
      x[t] = load_once(in + t * lanes);
      if (kFetchNext) hwy::Prefetch(in + (T + t) * lanes);
    }
    HWY_UNROLL(8)
    for (size_t i = 0; i < O; ++i) {
      const V w = hn::Set(d, weight[i * a.inputs + k]);
      HWY_UNROLL(8)
      for (size_t t = 0; t < T; ++t) sum[i][t] = hn::MulAdd(w, x[t], sum[i][t]);
    }
  }
  end.finish(sum);
  HWY_UNROLL(8)
  for (size_t i = 0; i < O; ++i) {
    float* out = a.out + (o + i) * a.out_step * a.pixels + p;
    if (count == T * lanes) {
      HWY_UNROLL(8)
      for (size_t t = 0; t < T; ++t) hn::StoreU(sum[i][t], d, out + t * lanes);
    } else {
      HWY_UNROLL(8)
      for (size_t t = 0; t < T; ++t)
        if (t * lanes < count) store_upto(sum[i][t], out + t * lanes, count - t * lanes);
    }
  }
}

template <size_t T>
HWY_INLINE void pointwise_columns(const Pointwise& a, const Epilogue& e, size_t p, size_t count) {
  size_t o = 0;
  if (T > 1 && a.outputs >= 6) {
    pointwise_block<6, T, true>(a, e, 0, p, count);
    o = 6;
  }
  if constexpr (!kScalar) {
    for (; o + 6 <= a.outputs; o += 6) pointwise_block<6, T>(a, e, o, p, count);
    for (; o + 4 <= a.outputs; o += 4) pointwise_block<4, T>(a, e, o, p, count);
    for (; o + 2 <= a.outputs; o += 2) pointwise_block<2, T>(a, e, o, p, count);
  }
  for (; o < a.outputs; ++o) pointwise_block<1, T>(a, e, o, p, count);
}

HWY_ATTR void pointwise(const Pointwise& a, const Epilogue& e, Range pixels) {
  constexpr size_t kTile = kScalar ? 1 : HWY_MAX_BYTES >= 64 ? 4 : 2;
  const size_t lanes = hn::Lanes(D());
  size_t p = pixels.begin;
  // A tile of which more than half is needed is worth it.
  for (; p + kTile * lanes / 2 < pixels.end; p += kTile * lanes)
    pointwise_columns<kTile>(a, e, p, std::min(kTile * lanes, pixels.end - p));
  for (; p < pixels.end; p += lanes) pointwise_columns<1>(a, e, p, std::min(lanes, pixels.end - p));
}

}  // namespace perennial::edge::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
