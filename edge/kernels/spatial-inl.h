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
      : columns((s.width + 2 * s.pad_w + s.stride - 1) / s.stride), step(row_step(columns) * s.stride) {}

  size_t columns, step;

  HWY_INLINE size_t offset(const Spatial& s, size_t ky, size_t kx) const {
    return ky * step + (kx % s.stride) * (step / s.stride) + kx / s.stride;
  }
};

// At least `count` floats; borders are narrower than a vector, and a call costs more than they do.
HWY_INLINE void zero(float* to, size_t count) {
  const D d;
  if (count <= hn::Lanes(d))
    hn::StoreU(hn::Zero(d), d, to);
  else
    std::memset(to, 0, count * sizeof(float));
}

// Whole vectors: what is written behind a row's end is slack, or zeroed after.
HWY_INLINE void pad_row(const Spatial& s, const Padded& p, const float* in, float* to) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  if (s.stride == 1) {
    zero(to, s.pad_w);
    for (size_t x = 0; x < s.width; x += lanes) hn::StoreU(hn::LoadU(d, in + x), d, to + s.pad_w + x);
    return zero(to + s.pad_w + s.width, s.pad_w);
  }
  float* half[2] = {to, to + p.step / 2};
  const size_t odd_first = s.pad_w % 2, end = s.pad_w + s.width;
  for (float* h : half) zero(h, (s.pad_w + 1) / 2);
  if (odd_first == 1) half[1][s.pad_w / 2] = in[0];
  for (size_t x = odd_first; x < s.width; x += 2 * lanes) {
    V even, odd;
    hn::LoadInterleaved2(d, in + x, even, odd);
    hn::StoreU(even, d, half[0] + (s.pad_w + x) / 2);
    hn::StoreU(odd, d, half[1] + (s.pad_w + x) / 2);
  }
  for (size_t i = 0; i < 2; ++i) zero(half[i] + (end + 1 - i) / 2, p.columns - (end + 1 - i) / 2);
}

HWY_INLINE void pad_plane(const Spatial& s, const Padded& p, const float* in, float* to) {
  zero(to, s.pad_h * p.step);
  for (size_t y = 0; y < s.height; ++y) pad_row(s, p, in + y * s.width, to + (y + s.pad_h) * p.step);
  zero(to + (s.pad_h + s.height) * p.step, s.pad_h * p.step);
}

HWY_INLINE void store_row(const Spatial& s, const ChannelEpilogue& end, V y, float* out, size_t at,
                          size_t x) {
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
HWY_INLINE void depthwise_rows(const Spatial& s, const Padded& p, const ChannelEpilogue& end,
                               const float* weight, float* out, size_t y) {
  const D d;
  const float* base = s.scratch + y * S * p.step;
  V w[K * K];
  HWY_UNROLL(32)
  for (size_t i = 0; i < K * K; ++i) w[i] = hn::Set(d, weight[i]);
  for (size_t x = 0; x < s.out_width; x += hn::Lanes(d)) {
    V sum[R];
    HWY_UNROLL(8)
    for (size_t r = 0; r < R; ++r) sum[r] = hn::Zero(d);
    HWY_UNROLL(16)
    for (size_t iy = 0; iy < (R - 1) * S + K; ++iy) {
      HWY_UNROLL(8)
      for (size_t kx = 0; kx < K; ++kx) {
        const V v = hn::LoadU(d, base + p.offset(s, iy, kx) + x);
        HWY_UNROLL(8)
        for (size_t r = 0; r < R; ++r)
          if (iy >= r * S && iy - r * S < K) sum[r] = hn::MulAdd(v, w[(iy - r * S) * K + kx], sum[r]);
      }
    }
    HWY_UNROLL(8)
    for (size_t r = 0; r < R; ++r) store_row(s, end, sum[r], out, (y + r) * s.out_width + x, x);
  }
}

HWY_INLINE void depthwise_any(const Spatial& s, const Padded& p, const ChannelEpilogue& end,
                              const float* weight, float* out, size_t y) {
  const D d;
  const float* base = s.scratch + y * s.stride * p.step;
  for (size_t x = 0; x < s.out_width; x += hn::Lanes(d)) {
    V sum = hn::Zero(d);
    for (size_t ky = 0; ky < s.kernel_h; ++ky)
      for (size_t kx = 0; kx < s.kernel_w; ++kx)
        sum = hn::MulAdd(hn::LoadU(d, base + p.offset(s, ky, kx) + x),
                         hn::Set(d, weight[ky * s.kernel_w + kx]), sum);
    store_row(s, end, sum, out, y * s.out_width + x, x);
  }
}

template <size_t K, size_t S>
HWY_INLINE void depthwise_plane(const Spatial& s, const Padded& p, const ChannelEpilogue& end,
                                const float* weight, float* out) {
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

// The rows of the input that one row of output needs, of every channel: a ring of kernel_h padded rows, so
// that it stays in the nearest cache.
struct Ring {
  Ring(const Spatial& given, const Padded& padded) : s(given), p(padded), channel(s.kernel_h * p.step) {}

  // Row `y` of the padded input into its place.
  HWY_INLINE void fill(size_t y) const {
    for (size_t c = 0; c < s.channels; ++c) {
      float* to = s.scratch + c * channel + y % s.kernel_h * p.step;
      if (y < s.pad_h || y >= s.pad_h + s.height)
        zero(to, p.step);
      else
        pad_row(s, p, s.in + (c * s.height + y - s.pad_h) * s.width, to);
    }
  }

  const Spatial& s;
  const Padded& p;
  size_t channel;
};

// O output channels by T vectors of row `y`.
template <size_t O, size_t T>
HWY_INLINE void convolution_block(const Ring& ring, const Epilogue& e, size_t o, size_t y, size_t x) {
  const Spatial& s = ring.s;
  const D d;
  const size_t lanes = hn::Lanes(d), taps = s.kernel_h * s.kernel_w;
  V sum[O][T];
  HWY_UNROLL(16)
  for (size_t i = 0; i < O; ++i) {
    HWY_UNROLL(8)
    for (size_t t = 0; t < T; ++t) sum[i][t] = hn::Zero(d);
  }
  const float* weight = s.weight + o * s.channels * taps;
  for (size_t c = 0; c < s.channels; ++c)
    for (size_t ky = 0; ky < s.kernel_h; ++ky) {
      const float* line = s.scratch + c * ring.channel + (y * s.stride + ky) % s.kernel_h * ring.p.step + x;
      for (size_t kx = 0; kx < s.kernel_w; ++kx) {
        const float* row = line + ring.p.offset(s, 0, kx);
        V v[T];
        HWY_UNROLL(8)
        for (size_t t = 0; t < T; ++t) v[t] = hn::LoadU(d, row + t * lanes);
        HWY_UNROLL(16)
        for (size_t i = 0; i < O; ++i) {
          const V w = hn::Set(d, weight[(i * s.channels + c) * taps + ky * s.kernel_w + kx]);
          HWY_UNROLL(8)
          for (size_t t = 0; t < T; ++t) sum[i][t] = hn::MulAdd(w, v[t], sum[i][t]);
        }
      }
    }
  HWY_UNROLL(16)
  for (size_t i = 0; i < O; ++i) {
    const size_t plane = s.out_height * s.out_width;
    const ChannelEpilogue end(e, o + i, plane);
    HWY_UNROLL(8)
    for (size_t t = 0; t < T; ++t)
      store_row(s, end, sum[i][t], s.out + (o + i) * plane, y * s.out_width + x + t * lanes, x + t * lanes);
  }
}

template <size_t O, size_t T>
HWY_INLINE void convolution_row(const Ring& ring, const Epilogue& e, size_t o, size_t y) {
  const size_t lanes = hn::Lanes(D()), width = ring.s.out_width;
  size_t x = 0;
  for (; x + (T - 1) * lanes < width; x += T * lanes) convolution_block<O, T>(ring, e, o, y, x);
  for (; x < width; x += lanes) convolution_block<O, 1>(ring, e, o, y, x);
}

HWY_ATTR void convolution(const Spatial& s, const Epilogue& e) {
  const Padded p(s);
  const Ring ring(s, p);
  size_t filled = 0;
  for (size_t y = 0; y < s.out_height; ++y) {
    for (; filled < y * s.stride + s.kernel_h; ++filled) ring.fill(filled);
    size_t o = 0;
#if HWY_MAX_BYTES >= 64
    for (; o + 12 <= s.outputs; o += 12) convolution_row<12, 2>(ring, e, o, y);
#endif
    for (; o + 6 <= s.outputs; o += 6) convolution_row<6, 2>(ring, e, o, y);
    for (; o + 2 <= s.outputs; o += 2) convolution_row<2, 7>(ring, e, o, y);
    for (; o < s.outputs; ++o) convolution_row<1, 7>(ring, e, o, y);
  }
}

}  // namespace perennial::edge::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
