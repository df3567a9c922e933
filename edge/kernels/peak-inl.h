#if defined(PERENNIAL_EDGE_PEAK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PERENNIAL_EDGE_PEAK_INL_H_
#undef PERENNIAL_EDGE_PEAK_INL_H_
#else
#define PERENNIAL_EDGE_PEAK_INL_H_
#endif

#include "edge/kernels/epilogue-inl.h"

HWY_BEFORE_NAMESPACE();
namespace perennial::edge::HWY_NAMESPACE {

HWY_ATTR double only_multiply_adds(size_t rounds, float* out) {
  constexpr size_t kSums = 12;  // more than are under way at once
  const D d;
  const V factor = hn::Set(d, 0.5F);
  V sum[kSums];
  HWY_UNROLL(16)
  for (size_t i = 0; i < kSums; ++i) sum[i] = hn::Set(d, static_cast<float>(i));
  for (size_t round = 0; round < rounds; ++round) {
    HWY_UNROLL(16)
    for (size_t i = 0; i < kSums; ++i) sum[i] = hn::MulAdd(sum[i], factor, factor);
  }
  HWY_UNROLL(16)
  for (size_t i = 0; i < kSums; ++i) hn::StoreU(sum[i], d, out + i * hn::Lanes(d));
  return static_cast<double>(rounds * kSums * hn::Lanes(d));
}

}  // namespace perennial::edge::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
