#if defined(PERENNIAL_EDGE_PLANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PERENNIAL_EDGE_PLANES_INL_H_
#undef PERENNIAL_EDGE_PLANES_INL_H_
#else
#define PERENNIAL_EDGE_PLANES_INL_H_
#endif

#include <hwy/contrib/math/math-inl.h>

#include "edge/kernels/epilogue-inl.h"

HWY_BEFORE_NAMESPACE();
namespace perennial::edge::HWY_NAMESPACE {

HWY_ATTR void affine(const float* in, const float* scale, float* out, size_t channels, size_t pixels,
                     const Epilogue& e) {
  const D d;
  for (size_t c = 0; c < channels; ++c) {
    const ChannelEpilogue end(e, c, pixels);
    const V by = hn::Set(d, scale ? scale[c] : 1.0F);
    for (size_t p = 0; p < pixels; p += hn::Lanes(d))
      store_upto(end.apply(hn::Mul(hn::LoadU(d, in + c * pixels + p), by), p), out + c * pixels + p,
                 pixels - p);
  }
}

// Columns `left` of a row. Enlarging, those of one vector lie within one vector of the row: no gather is
// needed.
template <bool kEnlarge>
HWY_INLINE V columns(const float* row, const int32_t* left) {
  const D d;
  const hn::RebindToSigned<D> di;
  const auto at = hn::LoadU(di, left);
  if constexpr (!kEnlarge) return hn::GatherIndex(d, row, at);
  return hn::TableLookupLanes(hn::LoadU(d, row + left[0]),
                              hn::IndicesFromVec(d, hn::Sub(at, hn::Set(di, left[0]))));
}

// A plane of out_height rows between those of `in`.
HWY_INLINE void resize_rows(const Resize& r, const float* in) {
  const D d;
  for (size_t y = 0; y < r.out_height; ++y) {
    const float* above = in + static_cast<size_t>(r.top[y]) * r.in_width;
    const float* below = r.down[y] > 0 ? above + r.in_width : above;
    float* to = r.scratch + y * r.in_width;
    const V down = hn::Set(d, r.down[y]);
    for (size_t x = 0; x < r.in_width; x += hn::Lanes(d)) {
      const V a = hn::LoadU(d, above + x);
      hn::StoreU(hn::MulAdd(hn::Sub(hn::LoadU(d, below + x), a), down, a), d, to + x);
    }
  }
}

// All rows first, then all columns: a row that was just written would be read before it is in the cache.
template <bool kEnlarge>
HWY_INLINE void resize_planes(const Resize& r, const Epilogue& e) {
  const D d;
  const size_t plane = r.out_height * r.out_width;
  for (size_t c = 0; c < r.channels; ++c) {
    const ChannelEpilogue end(e, c, plane);
    resize_rows(r, r.in + c * r.in_height * r.in_width);
    for (size_t y = 0; y < r.out_height; ++y) {
      const float* row = r.scratch + y * r.in_width;
      for (size_t x = 0; x < r.out_width; x += hn::Lanes(d)) {
        const V a = columns<kEnlarge>(row, r.left + x), b = columns<kEnlarge>(row + 1, r.left + x);
        const V v = hn::MulAdd(hn::Sub(b, a), hn::LoadU(d, r.share + x), a);
        store_upto(end.apply(v, y * r.out_width + x), r.out + c * plane + y * r.out_width + x,
                   r.out_width - x);
      }
    }
  }
}

HWY_ATTR void resize(const Resize& r, const Epilogue& e) {
  if (r.out_width >= r.in_width)
    resize_planes<true>(r, e);
  else
    resize_planes<false>(r, e);
}

HWY_INLINE V pair_sums(const float* row) {
  V even, odd;
  hn::LoadInterleaved2(D(), row, even, odd);
  return hn::Add(even, odd);
}

HWY_INLINE V quad_sums(const float* row) {
  V a, b, c, f;
  hn::LoadInterleaved4(D(), row, a, b, c, f);
  return hn::Add(hn::Add(a, b), hn::Add(c, f));
}

HWY_ATTR void average_pool(const float* in, float* out, size_t channels, size_t height, size_t width,
                           size_t factor) {
  const D d;
  const size_t out_width = width / factor;
  const float share = 1.0F / static_cast<float>(factor * factor);
  for (size_t i = 0; i < channels * height / factor; ++i) {
    const float* rows = in + i * factor * width;
    float* to = out + i * out_width;
    for (size_t x = 0; x < out_width && (factor == 2 || factor == 4); x += hn::Lanes(d)) {
      V sum = hn::Zero(d);
      for (size_t y = 0; y < factor; ++y) {
        const float* row = rows + y * width + x * factor;
        sum = hn::Add(sum, factor == 2 ? pair_sums(row) : quad_sums(row));
      }
      store_upto(hn::Mul(sum, hn::Set(d, share)), to + x, out_width - x);
    }
    for (size_t x = 0; x < out_width && factor != 2 && factor != 4; ++x) {
      float sum = 0;
      for (size_t y = 0; y < factor; ++y)
        for (size_t k = 0; k < factor; ++k) sum += rows[y * width + x * factor + k];
      to[x] = sum * share;
    }
  }
}

HWY_ATTR void plane_means(const float* in, float* out, size_t channels, size_t pixels) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  for (size_t c = 0; c < channels; ++c) {
    const float* plane = in + c * pixels;
    V sum[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
    size_t p = 0;
    for (; p + 4 * lanes <= pixels; p += 4 * lanes)
      for (size_t i = 0; i < 4; ++i) sum[i] = hn::Add(sum[i], hn::LoadU(d, plane + p + i * lanes));
    const V all = hn::Add(hn::Add(sum[0], sum[1]), hn::Add(sum[2], sum[3]));
    float total = hn::GetLane(hn::SumOfLanes(d, all));
    for (; p < pixels; ++p) total += plane[p];
    out[c] = total / static_cast<float>(pixels);
  }
}

HWY_ATTR void gate(const float* coarse, const float* detail, float* out, size_t channels, size_t pixels) {
  const D d;
  for (size_t p = 0; p < pixels; p += hn::Lanes(d)) {
    V most = hn::LoadU(d, coarse + p);
    for (size_t c = 1; c < channels; ++c) most = hn::Max(most, hn::LoadU(d, coarse + c * pixels + p));
    V sum = hn::Zero(d);
    for (size_t c = 0; c < channels; ++c)
      sum = hn::Add(sum, hn::Exp(d, hn::Sub(hn::LoadU(d, coarse + c * pixels + p), most)));
    const V open = hn::Sub(hn::Set(d, 1.0F), hn::Div(hn::Set(d, 1.0F), sum));
    for (size_t c = 0; c < channels; ++c) {
      const size_t at = c * pixels + p;
      store_upto(hn::MulAdd(hn::LoadU(d, detail + at), open, hn::LoadU(d, coarse + at)), out + at,
                 pixels - p);
    }
  }
}

}  // namespace perennial::edge::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
