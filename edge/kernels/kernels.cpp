// Compiled once for each instruction set (Highway's foreach_target); the processor's best is chosen at run
// time here, so that nothing of Highway needs to be linked.
#include "edge/kernels/kernels.h"

#include <algorithm>

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "edge/kernels/quantised.h"

// Vectors lie in arrays here: those of SVE, whose length the compiler does not know, cannot.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "edge/kernels/kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "edge/kernels/peak-inl.h"
#include "edge/kernels/planes-inl.h"
#include "edge/kernels/pointwise-inl.h"
#include "edge/kernels/spatial-inl.h"

HWY_BEFORE_NAMESPACE();
namespace perennial::edge::HWY_NAMESPACE {

const Kernels& table() {
  static const Kernels all{hwy::TargetName(HWY_TARGET),
                           pointwise,
                           depthwise,
                           convolution,
                           resize,
                           affine,
                           average_pool,
                           max_pool,
                           plane_means,
                           dense,
                           gate,
                           only_multiply_adds,
                           &quantised_kernels(HWY_TARGET)};
  return all;
}

}  // namespace perennial::edge::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace perennial::edge {

#if HWY_TARGETS & HWY_AVX3 || HWY_ARCH_ARM_A64
namespace {

#if HWY_ARCH_ARM_A64
// The dot product of bytes, of ARM v8.2.
bool has_arm_dots() {
#ifdef __linux__
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#elif defined(__ARM_FEATURE_DOTPROD)
  return true;
#else
  return false;
#endif
}
#endif

Kernels with_byte_dots(Kernels k, const char* name) {
  k.name = name, k.integers = &byte_dot_kernels();
  return k;
}

}  // namespace
#endif

std::vector<const Kernels*> all_kernels() {
  std::vector<const Kernels*> all;
#if HWY_TARGETS & HWY_AVX3
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd") &&
      __builtin_cpu_supports("avx512vl")) {
    static const Kernels vnni = with_byte_dots(N_AVX3::table(), "AVX3 VNNI");
    if (__builtin_cpu_supports("avx512vnni")) all.push_back(&vnni);
    all.push_back(&N_AVX3::table());
  }
#endif
#if HWY_TARGETS & HWY_AVX2
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
    all.push_back(&N_AVX2::table());
#endif
#if HWY_TARGETS & HWY_SSE4
  if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul")) all.push_back(&N_SSE4::table());
#endif
  const Kernels* fallback = &HWY_STATIC_DISPATCH(table)();
#if HWY_ARCH_ARM_A64
  static const Kernels dot = with_byte_dots(*fallback, "NEON DOT");
  if (has_arm_dots()) all.push_back(&dot);
#endif
  if (std::find(all.begin(), all.end(), fallback) == all.end()) all.push_back(fallback);
  return all;
}

const Kernels& best_kernels() {
  static const Kernels& best = *all_kernels().front();
  return best;
}

}  // namespace perennial::edge
#endif
