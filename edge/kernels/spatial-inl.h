#if defined(PERENNIAL_EDGE_SPATIAL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PERENNIAL_EDGE_SPATIAL_INL_H_
#undef PERENNIAL_EDGE_SPATIAL_INL_H_
#else
#define PERENNIAL_EDGE_SPATIAL_INL_H_
#endif

#include "edge/kernels/epilogue-inl.h"

HWY_BEFORE_NAMESPACE();
namespace perennial::edge::HWY_NAMESPACE {

/// A plane with its border of zeros. With stride 2 the columns lie in two halves, even and odd ones, so that
/// every tap reads neighbouring floats.
struct Padded {
  explicit Padded(const Spatial& s)
      : rows(s.height + 2 * s.pad_h),
        columns((s.width + 2 * s.pad_w + s.stride - 1) / s.stride),
        step((columns + kSlack / 2) * s.stride),
        plane(rows * step) {}

  size_t rows, columns, step, plane;

  HWY_INLINE size_t offset(const Spatial& s, size_t ky, size_t kx) const {
    return ky * step + (kx % s.stride) * (step / s.stride) + kx / s.stride;
  }
};

HWY_INLINE void pad_row(const Spatial& s, const Padded& p, const float* in, float* to) {
  if (s.stride == 1) {
    std::memset(to, 0, s.pad_w * sizeof(float));
    std::memcpy(to + s.pad_w, in, s.width * sizeof(float));
    std::memset(to + s.pad_w + s.width, 0, s.pad_w * sizeof(float));
    return;
  }
  float* half[2] = {to, to + p.step / 2};
  const size_t before = (s.pad_w + 1) / 2, after = (s.pad_w + s.width) / 2;
  for (float* h : half) {
    std::memset(h, 0, before * sizeof(float));
    std::memset(h + after, 0, (p.columns - after) * sizeof(float));
  }
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t x = 0, at = s.pad_w;
  if (at % 2 == 1) half[1][at / 2] = in[x], ++x, ++at;
  for (; x + 2 * lanes <= s.width; x += 2 * lanes, at += 2 * lanes) {
    V even, odd;
    hn::LoadInterleaved2(d, in + x, even, odd);
    hn::StoreU(even, d, half[0] + at / 2);
    hn::StoreU(odd, d, half[1] + at / 2);
  }
  for (; x < s.width; ++x, ++at) half[at % 2][at / 2] = in[x];
}

HWY_INLINE void pad_plane(const Spatial& s, const Padded& p, const float* in, float* to) {
  std::memset(to, 0, s.pad_h * p.step * sizeof(float));
  for (size_t y = 0; y < s.height; ++y) pad_row(s, p, in + y * s.width, to + (y + s.pad_h) * p.step);
  std::memset(to + (s.pad_h + s.height) * p.step, 0, s.pad_h * p.step * sizeof(float));
}

HWY_INLINE void store_row(const Spatial& s, const ChannelEpilogue& end, V y, float* out, size_t at, size_t x) {
  const D d;
  const size_t left = s.out_width - x;
  y = end.apply(y, at);
  if (left >= hn::Lanes(d))
    hn::StoreU(y, d, out + at);
  else
    store_part(y, out + at, left);
}

// R rows of output at once: a vector of input serves every row whose kernel covers it.
template <size_t K, size_t S, size_t R>
HWY_INLINE void depthwise_rows(const Spatial& s, const Padded& p, const ChannelEpilogue& end, const float* weight,
                               float* out, size_t y) {
  const D d;
  const float* base = s.scratch + y * S * p.step;
  for (size_t x = 0; x < s.out_width; x += hn::Lanes(d)) {
    V sum[R];
    HWY_UNROLL(8)
    for (size_t r = 0; r < R; ++r) sum[r] = hn::Zero(d);
    HWY_UNROLL(8)
    for (size_t iy = 0; iy < (R - 1) * S + K; ++iy) {
      HWY_UNROLL(8)
      for (size_t kx = 0; kx < K; ++kx) {
        const V v = hn::LoadU(d, base + p.offset(s, iy, kx) + x);
        HWY_UNROLL(8)
        for (size_t r = 0; r < R; ++r)
          if (iy >= r * S && iy - r * S < K) sum[r] = hn::MulAdd(v, hn::Set(d, weight[(iy - r * S) * K + kx]), sum[r]);
      }
    }
    HWY_UNROLL(8)
    for (size_t r = 0; r < R; ++r) store_row(s, end, sum[r], out, (y + r) * s.out_width + x, x);
  }
}

HWY_INLINE void depthwise_any(const Spatial& s, const Padded& p, const ChannelEpilogue& end, const float* weight,
                              float* out, size_t y) {
  const D d;
  const float* base = s.scratch + y * s.stride * p.step;
  for (size_t x = 0; x < s.out_width; x += hn::Lanes(d)) {
    V sum = hn::Zero(d);
    for (size_t ky = 0; ky < s.kernel_h; ++ky)
      for (size_t kx = 0; kx < s.kernel_w; ++kx)
        sum = hn::MulAdd(hn::LoadU(d, base + p.offset(s, ky, kx) + x), hn::Set(d, weight[ky * s.kernel_w + kx]), sum);
    store_row(s, end, sum, out, y * s.out_width + x, x);
  }
}

template <size_t K, size_t S>
HWY_INLINE void depthwise_plane(const Spatial& s, const Padded& p, const ChannelEpilogue& end, const float* weight,
                                float* out) {
  constexpr size_t kRows = 4;
  size_t y = 0;
  for (; y + kRows <= s.out_height; y += kRows) depthwise_rows<K, S, kRows>(s, p, end, weight, out, y);
  for (; y < s.out_height; ++y) depthwise_rows<K, S, 1>(s, p, end, weight, out, y);
}

HWY_ATTR void depthwise(const Spatial& s, const Epilogue& e) {
  const Padded p(s);
  const bool square = s.kernel_h == s.kernel_w;
  for (size_t c = 0; c < s.channels; ++c) {
    pad_plane(s, p, s.in + c * s.height * s.width, s.scratch);
    const size_t plane = s.out_height * s.out_width;
    const ChannelEpilogue end(e, c, plane);
    const float* weight = s.weight + c * s.kernel_h * s.kernel_w;
    float* out = s.out + c * plane;
    if (square && s.kernel_h == 3 && s.stride == 1)
      depthwise_plane<3, 1>(s, p, end, weight, out);
    else if (square && s.kernel_h == 5 && s.stride == 1)
      depthwise_plane<5, 1>(s, p, end, weight, out);
    else if (square && s.kernel_h == 3 && s.stride == 2)
      depthwise_plane<3, 2>(s, p, end, weight, out);
    else
      for (size_t y = 0; y < s.out_height; ++y) depthwise_any(s, p, end, weight, out, y);
  }
}

// O output channels by T vectors of a row.
template <size_t O, size_t T>
HWY_INLINE void convolution_block(const Spatial& s, const Padded& p, const Epilogue& e, size_t o, size_t y, size_t x) {
  const D d;
  const size_t lanes = hn::Lanes(d), taps = s.kernel_h * s.kernel_w;
  V sum[O][T];
  HWY_UNROLL(8)
  for (size_t i = 0; i < O; ++i) {
    HWY_UNROLL(8)
    for (size_t t = 0; t < T; ++t) sum[i][t] = hn::Zero(d);
  }
  const float* weight = s.weight + o * s.channels * taps;
  for (size_t c = 0; c < s.channels; ++c) {
    const float* base = s.scratch + c * p.plane + y * s.stride * p.step + x;
    for (size_t ky = 0; ky < s.kernel_h; ++ky)
      for (size_t kx = 0; kx < s.kernel_w; ++kx) {
        const float* row = base + p.offset(s, ky, kx);
        V v[T];
        HWY_UNROLL(8)
        for (size_t t = 0; t < T; ++t) v[t] = hn::LoadU(d, row + t * lanes);
        HWY_UNROLL(8)
        for (size_t i = 0; i < O; ++i) {
          const V w = hn::Set(d, weight[(i * s.channels + c) * taps + ky * s.kernel_w + kx]);
          HWY_UNROLL(8)
          for (size_t t = 0; t < T; ++t) sum[i][t] = hn::MulAdd(w, v[t], sum[i][t]);
        }
      }
  }
  HWY_UNROLL(8)
  for (size_t i = 0; i < O; ++i) {
    const size_t plane = s.out_height * s.out_width;
    const ChannelEpilogue end(e, o + i, plane);
    HWY_UNROLL(8)
    for (size_t t = 0; t < T; ++t)
      store_row(s, end, sum[i][t], s.out + (o + i) * plane, y * s.out_width + x + t * lanes, x + t * lanes);
  }
}

template <size_t O, size_t T>
HWY_INLINE void convolution_rows(const Spatial& s, const Padded& p, const Epilogue& e, size_t o) {
  const size_t lanes = hn::Lanes(D());
  for (size_t y = 0; y < s.out_height; ++y) {
    size_t x = 0;
    for (; x + (T - 1) * lanes < s.out_width; x += T * lanes) convolution_block<O, T>(s, p, e, o, y, x);
    for (; x < s.out_width; x += lanes) convolution_block<O, 1>(s, p, e, o, y, x);
  }
}

HWY_ATTR void convolution(const Spatial& s, const Epilogue& e) {
  const Padded p(s);
  for (size_t c = 0; c < s.channels; ++c) pad_plane(s, p, s.in + c * s.height * s.width, s.scratch + c * p.plane);
  size_t o = 0;
#if HWY_MAX_BYTES >= 64
  for (; o + 12 <= s.outputs; o += 12) convolution_rows<12, 2>(s, p, e, o);
#endif
  for (; o + 6 <= s.outputs; o += 6) convolution_rows<6, 2>(s, p, e, o);
  for (; o + 2 <= s.outputs; o += 2) convolution_rows<2, 4>(s, p, e, o);
  for (; o < s.outputs; ++o) convolution_rows<1, 4>(s, p, e, o);
}

}  // namespace perennial::edge::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
