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

HWY_ATTR void affine(const float* in, const float* scale, float* out, size_t pixels, const Epilogue& e,
                     Range channels) {
  const D d;
  for (size_t c = channels.begin; c < channels.end; ++c) {
    const ChannelEpilogue end(e, c, pixels);
    const V by = hn::Set(d, scale ? scale[c] : 1.0F);
    for (size_t p = 0; p < pixels; p += hn::Lanes(d))
      store_upto(end.apply(hn::Mul(hn::LoadU(d, in + c * pixels + p), by), p), out + c * pixels + p,
                 pixels - p);
  }
}

// T vectors of a resized row from vector `index` on. Enlarging, the columns that a vector lies between are
// within one vector of the row: no gather is needed.
template <bool kEnlarge, size_t T>
struct ResizedColumns {
  using DI = hn::RebindToSigned<D>;

  HWY_INLINE ResizedColumns(const Resize& r, size_t index) {
    HWY_UNROLL(2)
    for (size_t t = 0; t < T; ++t) {
      const size_t x = vector_at(index + t, r.out_width);
      first[t] = kEnlarge ? r.left[x] : 0;
      left[t] = hn::Sub(hn::LoadU(DI(), r.left + x), hn::Set(DI(), first[t]));
      share[t] = hn::LoadU(D(), r.share + x);
    }
  }

  HWY_INLINE void of(const float* row, V (&to)[T]) const {
    HWY_UNROLL(2)
    for (size_t t = 0; t < T; ++t) {
      const V a = at(row + first[t], left[t]), b = at(row + first[t] + 1, left[t]);
      to[t] = hn::MulAdd(hn::Sub(b, a), share[t], a);
    }
  }

 private:
  HWY_INLINE static V at(const float* from, hn::Vec<DI> index) {
    const D d;
    if constexpr (!kEnlarge) return hn::GatherIndex(d, from, index);
    return hn::TableLookupLanes(hn::LoadU(d, from), hn::IndicesFromVec(d, index));
  }

  int32_t first[T];
  hn::Vec<DI> left[T];
  V share[T];
};

// Down the plane, T vectors of columns at a time: both rows that a row lies between stay in registers.
template <bool kEnlarge, size_t T>
HWY_INLINE void resize_columns(const Resize& r, const ChannelEpilogue& end, const float* in, float* out,
                               size_t index, Range rows) {
  const D d;
  const ResizedColumns<kEnlarge, T> columns(r, index);
  int32_t held = -2;  // not the row before any
  V above[T], below[T], step[T];
  HWY_UNROLL(2)
  for (size_t t = 0; t < T; ++t) above[t] = below[t] = step[t] = hn::Zero(d);
  for (size_t y = rows.begin; y < rows.end; ++y) {
    if (r.top[y] != held) {
      const size_t last = r.in_height - 1, row = static_cast<size_t>(r.top[y]);
      if (r.top[y] == held + 1) {
        HWY_UNROLL(2)
        for (size_t t = 0; t < T; ++t) above[t] = below[t];
      } else {
        columns.of(in + row * r.in_width, above);
      }
      columns.of(in + std::min(row + 1, last) * r.in_width, below);
      HWY_UNROLL(2)
      for (size_t t = 0; t < T; ++t) step[t] = hn::Sub(below[t], above[t]);
      held = r.top[y];
    }
    const V down = hn::Set(d, r.down[y]);
    HWY_UNROLL(2)
    for (size_t t = 0; t < T; ++t) {
      const size_t x = vector_at(index + t, r.out_width), at = y * r.out_width + x;
      store_upto(end.apply(hn::MulAdd(step[t], down, above[t]), at), out + at, r.out_width - x);
    }
  }
}

template <bool kEnlarge>
HWY_INLINE void resize_plane(Resize r, const Epilogue& e, size_t channel,
                             Range rows) {  // a copy stays in registers
  const size_t plane = r.out_height * r.out_width, lanes = hn::Lanes(D());
  const float* in = r.in + channel * r.in_height * r.in_width;
  float* out = r.out + channel * plane;
  const ChannelEpilogue end(e, channel, plane);
  size_t v = 0;
  for (; (v + 1) * lanes < r.out_width; v += 2) resize_columns<kEnlarge, 2>(r, end, in, out, v, rows);
  if (v * lanes < r.out_width) resize_columns<kEnlarge, 1>(r, end, in, out, v, rows);
}

HWY_ATTR void resize(const Resize& r, const Epilogue& e, Range rows) {
  for (size_t begin = rows.begin; begin < rows.end;) {
    const size_t c = begin / r.out_height, first = c * r.out_height;
    const size_t end = std::min(rows.end, first + r.out_height);
    if (r.out_width >= r.in_width)
      resize_plane<true>(r, e, c, {begin - first, end - first});
    else
      resize_plane<false>(r, e, c, {begin - first, end - first});
    begin = end;
  }
}

// Sums of `rows` rows by F columns, from `at` on.
template <size_t F>
HWY_INLINE V block_sums(const float* at, size_t width, size_t rows) {
  const D d;
  if constexpr (F == 1) {
    V sum = hn::LoadU(d, at);
    for (size_t y = 1; y < rows; ++y) sum = hn::Add(sum, hn::LoadU(d, at + y * width));
    return sum;
  } else {
    const V low = block_sums<F / 2>(at, width, rows);
    const V high = block_sums<F / 2>(at + F / 2 * hn::Lanes(d), width, rows);
    return hn::Add(evens(high, low), odds(high, low));
  }
}

HWY_ATTR void average_pool(const float* in, float* out, size_t width, size_t factor, Range out_rows) {
  const D d;
  const size_t out_width = width / factor;
  const float share = 1.0F / static_cast<float>(factor * factor);
  for (size_t i = out_rows.begin; i < out_rows.end; ++i) {
    const float* rows = in + i * factor * width;
    float* to = out + i * out_width;
    for (size_t x = 0; x < out_width && (factor == 2 || factor == 4); x += hn::Lanes(d)) {
      const float* at = rows + x * factor;
      const V sum = factor == 2 ? block_sums<2>(at, width, 2) : block_sums<4>(at, width, 4);
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

HWY_ATTR void plane_means(const float* in, float* out, size_t pixels, Range channels) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  for (size_t c = channels.begin; c < channels.end; ++c) {
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

// Dot products of R rows: each is summed alike, however many are summed at once.
template <size_t R>
HWY_INLINE void dense_rows(const float* in, const float* weight, float* out, size_t inputs, const Epilogue& e,
                           size_t o) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V sum[R];
  HWY_UNROLL(8)
  for (size_t r = 0; r < R; ++r) sum[r] = hn::Zero(d);
  const float* row = weight + o * inputs;
  size_t k = 0;
  for (; k + lanes <= inputs; k += lanes) {
    const V x = hn::LoadU(d, in + k);
    HWY_UNROLL(8)
    for (size_t r = 0; r < R; ++r) sum[r] = hn::MulAdd(hn::LoadU(d, row + r * inputs + k), x, sum[r]);
  }
  for (size_t r = 0; r < R; ++r) {
    float total = hn::GetLane(hn::SumOfLanes(d, sum[r]));
    for (size_t i = k; i < inputs; ++i) total += row[r * inputs + i] * in[i];
    out[o + r] = hn::GetLane(ChannelEpilogue(e, o + r, 1).apply(hn::Set(d, total), 0));
  }
}

HWY_ATTR void dense(const float* in, const float* weight, float* out, size_t inputs, const Epilogue& e,
                    Range outputs) {
  constexpr size_t kRows = 8;
  size_t o = outputs.begin;
  for (; o + kRows <= outputs.end; o += kRows) dense_rows<kRows>(in, weight, out, inputs, e, o);
  for (; o < outputs.end; ++o) dense_rows<1>(in, weight, out, inputs, e, o);
}

HWY_ATTR void gate(const float* coarse, const float* detail, float* out, size_t channels, size_t plane,
                   Range pixels) {
  const D d;
  for (size_t p = pixels.begin; p < pixels.end; p += hn::Lanes(d)) {
    V most = hn::LoadU(d, coarse + p);
    for (size_t c = 1; c < channels; ++c) most = hn::Max(most, hn::LoadU(d, coarse + c * plane + p));
    V sum = hn::Zero(d);
    for (size_t c = 0; c < channels; ++c)
      sum = hn::Add(sum, hn::Exp(d, hn::Sub(hn::LoadU(d, coarse + c * plane + p), most)));
    const V open = hn::Sub(hn::Set(d, 1.0F), hn::Div(hn::Set(d, 1.0F), sum));
    for (size_t c = 0; c < channels; ++c) {
      const size_t at = c * plane + p;
      store_upto(hn::MulAdd(hn::LoadU(d, detail + at), open, hn::LoadU(d, coarse + at)), out + at,
                 pixels.end - p);
    }
  }
}

}  // namespace perennial::edge::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
