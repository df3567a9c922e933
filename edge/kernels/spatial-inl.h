#if defined(PERENNIAL_EDGE_SPATIAL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PERENNIAL_EDGE_SPATIAL_INL_H_
#undef PERENNIAL_EDGE_SPATIAL_INL_H_
#else
#define PERENNIAL_EDGE_SPATIAL_INL_H_
#endif

#include <algorithm>
#include <limits>

#include "edge/kernels/epilogue-inl.h"

HWY_BEFORE_NAMESPACE();
namespace perennial::edge::HWY_NAMESPACE {

constexpr size_t kRegisters = HWY_MAX_BYTES >= 64 || HWY_ARCH_ARM ? 32 : 16;
// Whether 3x3 weights stay in registers down a plane: where these are many, or a load cannot broadcast.
constexpr bool kHoldWeights = kRegisters == 32 || HWY_TARGET == HWY_SSE4;

// One vector of output columns from `x` on under a kernel of K x K (0: any size) with stride S. The border is
// never made: rows outside the plane are read from a row of zeros, and lanes beside it are masked (kEdge).
template <size_t K, size_t S, bool kEdge>
struct Window {
  using M = hn::Mask<D>;
  size_t x;

  HWY_INLINE Window(const Spatial& spatial, size_t column) : x(column), s(spatial) {
    if constexpr (kEdge && K > 0) {
      HWY_UNROLL(8)
      for (size_t kx = 0; kx < K; ++kx) inside_row[kx] = inside(kx);
    }
  }

  // Row `y` of the padded plane, from where the first tap of the first lane lies.
  HWY_INLINE const float* row(const float* plane, size_t y) const {
    const size_t at = y - s.pad_h;  // huge above the plane
    return (at < s.height ? plane + at * s.width : s.zeros) + x * S - s.pad_w;
  }

  // The tap that lies `offset` columns behind the first.
  HWY_INLINE V tap(const float* row, size_t offset) const { return masked(offset, anywhere(row, offset)); }

  // The same, `otherwise` in the lanes whose tap lies beside the plane.
  HWY_INLINE V tap_or(const float* row, size_t offset, V otherwise) const {
    return hn::IfThenElse(inside(offset), anywhere(row, offset), otherwise);
  }

  // Adds what one input plane gives to R rows, from `y` on, of O outputs. weight(output, tap).
  template <size_t O, size_t R, class Weight>
  HWY_INLINE void accumulate(const float* plane, size_t y, const Weight& weight, V (&sum)[O][R]) const {
    if constexpr (K > 0)
      shared_rows(plane, y, weight, sum);
    else
      any_taps(plane, y, weight, sum);
  }

  template <size_t R>
  HWY_INLINE void store(float* out, size_t y, const V (&sum)[R]) const {
    out += y * s.out_width + x;
    HWY_UNROLL(8)
    for (size_t r = 0; r < R; ++r) store_upto(sum[r], out + r * s.out_width, s.out_width - x);
  }

 private:
  HWY_INLINE V anywhere(const float* row, size_t offset) const {
    const D d;
    const V v = load_once(row + offset / S * S);
    if constexpr (S == 1) return v;
    const V next = hn::LoadU(d, row + offset / 2 * 2 + hn::Lanes(d));
    return offset % 2 == 0 ? evens(next, v) : odds(next, v);
  }

  // A vector of input serves every row whose kernel covers it. With stride 1 down the rows first, so that
  // sums that follow one another differ and none waits for the one before; with stride 2 along the row,
  // where two taps share their loads: with half of the kernel in zeros, as is usual, those that are aligned.
  template <size_t O, size_t R, class Weight>
  HWY_INLINE void shared_rows(const float* plane, size_t y, const Weight& weight, V (&sum)[O][R]) const {
    constexpr size_t kLines = (R - 1) * S + K;
    const auto tap = [&](size_t iy, size_t kx, V v) HWY_ATTR {
      HWY_UNROLL(8)
      for (size_t r = 0; r < R; ++r) {
        if (iy < r * S || iy - r * S >= K) continue;
        HWY_UNROLL(8)
        for (size_t o = 0; o < O; ++o) sum[o][r] = hn::MulAdd(v, weight(o, (iy - r * S) * K + kx), sum[o][r]);
      }
    };
    if constexpr (S == 1) {
      const float* line[kLines];
      rows(plane, y, line);
      HWY_UNROLL(64)
      for (size_t i = 0; i < kLines * K; ++i) {
        const size_t iy = i % kLines, kx = i / kLines;
        tap(iy, kx, masked(kx, load_once(line[iy] + kx)));
      }
    } else {
      static_assert(K % 2 == 1 && K > 1, "tap 0, then pairs");
      HWY_UNROLL(16)
      for (size_t iy = 0; iy < kLines; ++iy) {
        const float* line = row(plane, y * S + iy);
        HWY_UNROLL(2)
        for (size_t kx = 1; kx + 1 < K; kx += 2) {
          V even, odd;
          hn::LoadInterleaved2(D(), line + kx, even, odd);
          tap(iy, kx, masked(kx, even));
          tap(iy, kx + 1, masked(kx + 1, odd));
          if (kx == 1) tap(iy, 0, masked(0, one_before(line, odd)));
        }
      }
    }
  }

  // Tap 0 of a row whose tap 2 is given.
  static HWY_INLINE V one_before(const float* row, V tap2) {
    const D d;
#if HWY_MAX_BYTES >= 32
    HWY_ALIGN static constexpr int32_t kOneBefore[16] = {0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    const auto index = hn::IndicesFromVec(d, hn::Load(hn::RebindToSigned<D>(), kOneBefore));
    return hn::IfThenElse(hn::FirstN(d, 1), hn::Set(d, *row), hn::TableLookupLanes(tap2, index));
#else
    (void)tap2;
    return evens(hn::LoadU(d, row + hn::Lanes(d)), hn::LoadU(d, row));
#endif
  }

  // Rows from y on, chosen without a branch.
  template <size_t N>
  HWY_INLINE void rows(const float* plane, size_t y, const float* (&line)[N]) const {
    const size_t top = y - s.pad_h, outside = static_cast<size_t>(s.zeros - plane);
    size_t offset = top * s.width;
    HWY_UNROLL(16)
    for (size_t i = 0; i < N; ++i, offset += s.width)
      line[i] = plane + x - s.pad_w + (top + i < s.height ? offset : outside);
  }

  template <size_t O, size_t R, class Weight>
  HWY_INLINE void any_taps(const float* plane, size_t y, const Weight& weight, V (&sum)[O][R]) const {
    for (size_t ky = 0; ky < s.kernel_h; ++ky) {
      const float* line[R];
      HWY_UNROLL(8)
      for (size_t r = 0; r < R; ++r) line[r] = row(plane, (y + r) * S + ky * s.dilation);
      for (size_t kx = 0; kx < s.kernel_w; ++kx) {
        V v[R];
        HWY_UNROLL(8)
        for (size_t r = 0; r < R; ++r) v[r] = tap(line[r], kx * s.dilation);
        HWY_UNROLL(16)
        for (size_t o = 0; o < O; ++o) {
          const V w = weight(o, ky * s.kernel_w + kx);
          HWY_UNROLL(8)
          for (size_t r = 0; r < R; ++r) sum[o][r] = hn::MulAdd(v[r], w, sum[o][r]);
        }
      }
    }
  }

  // The lanes whose tap lies in the row.
  HWY_INLINE M inside(size_t offset) const {
    const D d;
    const hn::RebindToUnsigned<D> du;
    const auto at = hn::Add(hn::Mul(hn::Iota(du, 0), hn::Set(du, S)),
                            hn::Set(du, static_cast<uint32_t>(x * S + offset - s.pad_w)));
    return hn::RebindMask(d, hn::Lt(at, hn::Set(du, static_cast<uint32_t>(s.width))));
  }
  // Without the lanes whose tap lies beside the plane.
  HWY_INLINE V masked(size_t offset, V v) const {
    if constexpr (!kEdge)
      return v;
    else if constexpr (K > 0)
      return hn::IfThenElseZero(inside_row[offset], v);
    else
      return hn::IfThenElseZero(inside(offset), v);
  }

  Spatial s;  // a copy: what is stored cannot change it
  M inside_row[K > 0 ? K : 1];
};

// The columns of a row, a vector at a time: the last vector ends where the row does. Calls work(window) with
// what knows whether its taps may lie beside the plane; unless kAsk, as if they all did.
template <size_t K, size_t S, bool kAsk = true, class Work>
HWY_INLINE void each_window(const Spatial& s, const Work& work) {
  const size_t lanes = hn::Lanes(D());
  for (size_t v = 0; v * lanes < s.out_width; ++v) {
    const size_t at = vector_at(v, s.out_width);
    if (!kAsk || at * S < s.pad_w || (at + lanes - 1) * S + s.reach_w() > s.width + s.pad_w)
      work(Window<K, S, true>(s, at));
    else if constexpr (kAsk)
      work(Window<K, S, false>(s, at));
  }
}

// R rows at a time; the last ones end where the range does.
template <size_t R, class Work>
HWY_INLINE void each_rows(Range rows, const Work& work) {
  for (size_t y = rows.begin; y < rows.end; y += R) work(std::min(y, rows.end - R));
}

template <size_t K, size_t S, size_t kRows>
HWY_INLINE void depthwise_plane(const Spatial& s, const Epilogue& e, size_t channel) {
  const size_t taps = s.kernel_h * s.kernel_w;
  const float* plane = s.in + channel * s.height * s.width;
  const float* weight = s.weight + channel * taps;
  const ChannelEpilogue end(e, channel, s.out_height * s.out_width);
  float* out = s.out + channel * s.out_height * s.out_width;
  each_window<K, S>(s, [&](const auto& window) HWY_ATTR __attribute__((always_inline)) {
    const D d;
    constexpr size_t kHeld = K == 3 && kHoldWeights ? K * K : 0;
    V w[HWY_MAX(kHeld, 1)];
    HWY_UNROLL(16)
    for (size_t i = 0; i < kHeld; ++i) w[i] = hn::Set(d, weight[i]);
    const auto tap_weight = [&](size_t, size_t tap) HWY_ATTR {
      if constexpr (kHeld > 0) return w[tap];
      return hn::Set(d, weight[tap]);
    };
    each_rows<kRows>({0, s.out_height}, [&](size_t y) HWY_ATTR {
      V sum[1][kRows];
      end.start(sum[0], y * s.out_width + window.x, s.out_width);
      window.accumulate(plane, y, tap_weight, sum);
      end.finish(sum[0]);
      window.store(out, y, sum[0]);
    });
  });
}

template <size_t S>
HWY_INLINE void depthwise_channel(const Spatial& s, const Epilogue& e, size_t channel) {
  const size_t k = s.kernel_h == s.kernel_w && s.dilation == 1 && s.out_height >= 7 ? s.kernel_h : 0;
  if constexpr (!kScalar) {
    if (k == 3) return depthwise_plane < 3, S, kHoldWeights && kRegisters<32 ? 3 : 7>(s, e, channel);
    if (k == 5) return depthwise_plane < 5, S, S == 1 ? 7 : 1 > (s, e, channel);
  }
  depthwise_plane<0, S, 1>(s, e, channel);
}

HWY_ATTR void depthwise(const Spatial& s, const Epilogue& e, Range channels) {
  for (size_t c = channels.begin; c < channels.end; ++c) {
    if (s.stride == 1)
      depthwise_channel<1>(s, e, c);
    else
      depthwise_channel<2>(s, e, c);
  }
}

// R rows of O outputs.
template <size_t O, size_t R, size_t K, size_t S>
HWY_INLINE void convolution_rows(const Spatial& s, const Epilogue& e, size_t o, size_t y) {
  const size_t taps = s.kernel_h * s.kernel_w, plane = s.out_height * s.out_width;
  each_window<K, S, (O > 1)>(s, [&](const auto& window) HWY_ATTR __attribute__((always_inline)) {
    const D d;
    V sum[O][R];
    const BlockEpilogue<O> end(e, o, 1, plane);
    end.start(sum, y * s.out_width + window.x, s.out_width);
    for (size_t c = 0; c < s.channels; ++c) {
      const float* weight = s.weight + (o * s.channels + c) * taps;
      const auto tap_weight = [&](size_t i, size_t tap)
                                  HWY_ATTR { return hn::Set(d, weight[i * s.channels * taps + tap]); };
      window.accumulate(s.in + c * s.height * s.width, y, tap_weight, sum);
    }
    end.finish(sum);
    HWY_UNROLL(16)
    for (size_t i = 0; i < O; ++i) window.store(s.out + (o + i) * plane, y, sum[i]);
  });
}

template <size_t O, size_t R, size_t K, size_t S>
HWY_INLINE void convolution_outputs(const Spatial& s, const Epilogue& e, Range rows, size_t& o) {
  for (; o + O <= s.outputs; o += O)
    each_rows<R>(rows, [&](size_t y) HWY_ATTR { convolution_rows<O, R, K, S>(s, e, o, y); });
}

// Many outputs at once share what they read of two rows; few read more rows at once, where they share rows.
template <size_t S>
HWY_INLINE void convolution_planes(const Spatial& s, const Epilogue& e, Range rows) {
  constexpr size_t kMany = HWY_MAX_BYTES >= 64 ? 12 : 6;
  size_t o = 0;
  if constexpr (!kScalar) {
    if (s.out_height >= 2) convolution_outputs<kMany, 2, 0, S>(s, e, rows, o);
    if (s.out_height >= kLeastRows && s.kernel_h == 3 && s.kernel_w == 3 && s.dilation == 1)
      convolution_outputs<2, 4, 3, S>(s, e, rows, o);
    if (s.out_height >= 2) convolution_outputs<2, 2, 0, S>(s, e, rows, o);
  }
  convolution_outputs<1, 1, 0, S>(s, e, rows, o);
}

HWY_ATTR void convolution(const Spatial& s, const Epilogue& e, Range rows) {
  if (s.stride == 1)
    convolution_planes<1>(s, e, rows);
  else
    convolution_planes<2>(s, e, rows);
}

// What is no number is larger than all that is one, so that it shows.
template <size_t S>
HWY_INLINE void largest_of_plane(const Spatial& s, const float* plane, float* out) {
  each_window<0, S, false>(s, [&](const auto& window) HWY_ATTR {
    const D d;
    const V least = hn::Set(d, -std::numeric_limits<float>::infinity());
    for (size_t y = 0; y < s.out_height; ++y) {
      V most[1] = {least};
      for (size_t ky = 0; ky < s.kernel_h; ++ky) {
        if (y * S + ky - s.pad_h >= s.height) continue;  // huge above the plane
        const float* line = window.row(plane, y * S + ky);
        for (size_t kx = 0; kx < s.kernel_w; ++kx) {
          const V v = window.tap_or(line, kx, least);
          most[0] = hn::IfThenElse(hn::Or(hn::Gt(v, most[0]), hn::IsNaN(v)), v, most[0]);
        }
      }
      window.store(out, y, most);
    }
  });
}

HWY_ATTR void max_pool(const Spatial& s, Range channels) {
  for (size_t c = channels.begin; c < channels.end; ++c) {
    const float* plane = s.in + c * s.height * s.width;
    float* out = s.out + c * s.out_height * s.out_width;
    if (s.stride == 1)
      largest_of_plane<1>(s, plane, out);
    else
      largest_of_plane<2>(s, plane, out);
  }
}

}  // namespace perennial::edge::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
