#if defined(PERENNIAL_EDGE_QUANTISED_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PERENNIAL_EDGE_QUANTISED_INL_H_
#undef PERENNIAL_EDGE_QUANTISED_INL_H_
#else
#define PERENNIAL_EDGE_QUANTISED_INL_H_
#endif

#include "edge/kernels/epilogue-inl.h"
#include "edge/kernels/quantised.h"

#undef PERENNIAL_BYTE_DOTS
#define PERENNIAL_BYTE_DOTS (HWY_TARGET == HWY_AVX3 || (HWY_ARCH_ARM_A64 && HWY_TARGET == HWY_STATIC_TARGET))

// For the assembler, which goes on with it: where it knows more already, nothing may be taken away.
#undef PERENNIAL_ARM_DOTS
#if defined(__ARM_FEATURE_DOTPROD) || defined(__ARM_FEATURE_SVE) || defined(__ARM_FEATURE_COMPLEX)
#define PERENNIAL_ARM_DOTS ".arch_extension dotprod\n "
#else
#define PERENNIAL_ARM_DOTS ".arch armv8.2-a+crypto+dotprod\n "
#endif

HWY_BEFORE_NAMESPACE();
namespace perennial::edge::HWY_NAMESPACE {

using DI = hn::RebindToSigned<D>;
using VI = hn::Vec<DI>;

// A lane of "words" holds one pixel of four channels, a byte each. How four weights meet it: nothing
// saturates, so that the sums are equal.
#if HWY_TARGET == HWY_SCALAR
struct ScalarDots {
  static constexpr size_t kWords = 1, kRows = 1;
  static constexpr uint8_t kZero = 0;
  using Sum = VI;
  using Bytes = VI;
  using Weights = VI;
  static Sum begin(VI start) { return start; }
  static VI total(Sum s) { return s; }
  static Bytes bytes(VI words) { return words; }
  static Weights broadcast(const int32_t* w) { return hn::Set(DI(), *w); }
  static Weights load(const int32_t* w) { return hn::Load(DI(), w); }
  static void dot(Sum& s, Bytes x, Weights w) {
    for (int shift = 0; shift < 32; shift += 8)
      s.raw += (x.raw >> shift & 255) * static_cast<int8_t>(w.raw >> shift);
  }
  static void pack(const int8_t* w, int32_t* to) { std::memcpy(to, w, 4); }
};
using Dots = ScalarDots;
#else
/// Two pairs of 16 bits.
struct PairDots {
  static constexpr size_t kWords = 2, kRows = 4;
  static constexpr uint8_t kZero = 0;
  using DS = hn::Repartition<int16_t, D>;
  struct Sum {
    HWY_INLINE Sum() {}  // the compiler's own would be of no instruction set
    HWY_INLINE Sum(VI first, VI second) : all(first), other(second) {}
    VI all, other;  // `other` stays 0 on x86
  };
  struct Bytes {
    HWY_INLINE Bytes() {}
    HWY_INLINE Bytes(hn::Vec<DS> first, hn::Vec<DS> second) : even(first), odd(second) {}
    hn::Vec<DS> even, odd;
  };
  using Weights = Bytes;
  /// `start` is the same in all lanes.
  static HWY_INLINE Sum begin(VI start) {
#if HWY_ARCH_ARM  // total() adds lanes in pairs
    const VI once = hn::OddEven(hn::Zero(DI()), start);
    return {once, once};
#else
    return {start, hn::Zero(DI())};
#endif
  }
  static HWY_INLINE VI total(const Sum& s) { return hn::RearrangeToOddPlusEven(s.all, s.other); }
  static HWY_INLINE Bytes bytes(VI words) {
    const DI di;
    const hn::RebindToUnsigned<DI> du;
    const VI mask = hn::Set(di, 0x00ff00ff);
    const VI odd = hn::BitCast(di, hn::ShiftRight<8>(hn::BitCast(du, words)));
    return {hn::BitCast(DS(), hn::And(words, mask)), hn::BitCast(DS(), hn::And(odd, mask))};
  }
  static HWY_INLINE Weights broadcast(const int32_t* w) {
    return {hn::BitCast(DS(), hn::Set(DI(), w[0])), hn::BitCast(DS(), hn::Set(DI(), w[1]))};
  }
  static HWY_INLINE Weights load(const int32_t* w) {
    VI even, odd;
    hn::LoadInterleaved2(DI(), w, even, odd);
    return {hn::BitCast(DS(), even), hn::BitCast(DS(), odd)};
  }
  static HWY_INLINE void dot(Sum& s, const Bytes& x, const Weights& w) {
    s.all = hn::ReorderWidenMulAccumulate(DI(), x.even, w.even, s.all, s.other);
    s.all = hn::ReorderWidenMulAccumulate(DI(), x.odd, w.odd, s.all, s.other);
  }
  static void pack(const int8_t* w, int32_t* to) {
    const int16_t pairs[4] = {w[0], w[2], w[1], w[3]};
    std::memcpy(to, pairs, 8);
  }
};
using Dots = PairDots;
#endif

#if PERENNIAL_BYTE_DOTS
/// All four in one instruction, of AVX-512 VNNI or of ARM v8.2, which this Highway has neither as an
/// operation nor, by its name, as a target. That of ARM takes signed bytes: 128 less.
struct ByteDots {
  static constexpr size_t kWords = 1, kRows = 6;
  static constexpr uint8_t kZero = HWY_ARCH_ARM ? 128 : 0;
  using Sum = VI;
  using Bytes = VI;
  using Weights = VI;
  static HWY_INLINE Sum begin(VI start) { return start; }
  static HWY_INLINE VI total(Sum s) { return s; }
  static HWY_INLINE Bytes bytes(VI words) {
    if constexpr (kZero != 0) return hn::Xor(words, hn::Set(DI(), static_cast<int32_t>(0x80808080)));
    return words;
  }
  static HWY_INLINE Weights broadcast(const int32_t* w) { return hn::Set(DI(), *w); }
  static HWY_INLINE Weights load(const int32_t* w) { return hn::LoadU(DI(), w); }
  static HWY_INLINE void dot(Sum& s, Bytes x, Weights w) {
#if HWY_ARCH_ARM
    asm(PERENNIAL_ARM_DOTS "sdot %0.4s, %1.16b, %2.16b" : "+w"(s.raw) : "w"(x.raw), "w"(w.raw));
#else
    asm("vpdpbusd %2, %1, %0" : "+v"(s.raw) : "v"(x.raw), "v"(w.raw));
#endif
  }
  static void pack(const int8_t* w, int32_t* to) { std::memcpy(to, w, 4); }
};
#endif

template <class Dots>
HWY_ATTR void pack(const int8_t* weights, size_t rows, size_t channels, size_t taps, int32_t* words) {
  for (size_t r = 0; r < rows; ++r, weights += channels * taps)
    for (size_t q = 0; q < quads(channels); ++q)
      for (size_t tap = 0; tap < taps; ++tap, words += Dots::kWords) {
        int8_t four[4] = {};
        for (size_t i = 0; i < 4 && 4 * q + i < channels; ++i) four[i] = weights[(4 * q + i) * taps + tap];
        Dots::pack(four, words);
      }
}

/// Rounds to 8 bits. A float near kMagic holds a rounded integer in its lowest bits, so that rounding is an
/// addition, and clamping happens before anything is an integer.
struct Levels {
  static constexpr float kMagic = 12582912.0F;  // 1.5 * 2^23
  static constexpr uint32_t kMagicBits = 0x4b400000;

  HWY_INLINE explicit Levels(const QuantisedRows& rows)
      : low(hn::Set(D(), kMagic - static_cast<float>(rows.zero))),
        high(hn::Set(D(), kMagic + static_cast<float>(255 - rows.zero))),
        add(static_cast<uint32_t>(rows.zero) - kMagicBits) {}

  /// q - add, modulo 2^32.
  HWY_INLINE VI of(V x, V inverse) const {
    const V near = hn::MulAdd(x, inverse, hn::Set(D(), kMagic));
    return hn::BitCast(DI(), hn::Min(hn::Max(near, low), high));
  }

  V low, high;
  uint32_t add;
};

/// Makes words of up to four planes.
class WordMaker {
 public:
  HWY_INLINE WordMaker(const QuantisedRows& rows, const float* planes, const float* by, size_t plane,
                       size_t channels)
      : levels_(rows), planes_(planes), plane_(plane), channels_(channels) {
    for (size_t i = 0; i < channels; ++i) {
      inverse_[i] = rows.inverse * (by != nullptr ? by[i] : 1.0F);
      add_ += levels_.add << (8 * i);
    }
  }

  HWY_INLINE VI at(size_t p) const {
    const DI di;
    VI word = hn::Add(hn::Set(di, static_cast<int32_t>(add_)), level(p, 0));
    if (channels_ > 1) word = hn::Add(word, hn::ShiftLeft<8>(level(p, 1)));
    if (channels_ > 2) word = hn::Add(word, hn::ShiftLeft<16>(level(p, 2)));
    if (channels_ > 3) word = hn::Add(word, hn::ShiftLeft<24>(level(p, 3)));
    return word;
  }

 private:
  HWY_INLINE VI level(size_t p, size_t i) const {
    const D d;
    return levels_.of(hn::LoadU(d, planes_ + i * plane_ + p), hn::Set(d, inverse_[i]));
  }

  Levels levels_;
  const float* planes_;
  size_t plane_, channels_;
  float inverse_[4] = {};
  uint32_t add_ = 0;
};

/// What a block of rows is multiplied with: at step i the words from words[offset[i]] on.
struct Steps {
  const int32_t* words;
  const int32_t* offset;
  size_t count;
};

/// Where a block's results go: `left` pixels from pixel `at` of each plane on.
struct Target {
  float* out;
  size_t plane, out_step, at, left;
};

constexpr size_t kVectors = HWY_MAX_BYTES >= 64 ? 4 : 2, kMostRows = 6;
/// The sums of a block: rows of kVectors vectors.
struct Sums {
  HWY_ALIGN int32_t row[kMostRows][kVectors * hn::MaxLanes(DI())];
};

// Sums to floats, then the epilogue: apart from the sums' loop, so that it is compiled once.
HWY_ATTR HWY_NOINLINE void finish_block(const QuantisedRows& rows, const Sums& sums, const Target& to,
                                        const Epilogue& e, size_t o, size_t count) {
  const D d;
  const DI di;
  const size_t lanes = hn::Lanes(d);
  for (size_t i = 0; i < count; ++i) {
    const size_t channel = (o + i) * to.out_step;
    const ChannelEpilogue end(e, channel, to.plane);
    const V step = hn::Set(d, rows.step[o + i]);
    float* out = to.out + channel * to.plane + to.at;
    const auto finished = [&](size_t x) HWY_ATTR {
      return end.apply(hn::Mul(hn::ConvertTo(d, hn::Load(di, sums.row[i] + x)), step), to.at + x);
    };
    size_t x = 0;
    if (to.left == kVectors * lanes) {
      HWY_UNROLL(4)
      for (size_t t = 0; t < kVectors; ++t) hn::StoreU(finished(t * lanes), d, out + t * lanes);
      continue;
    }
    for (; x + lanes <= to.left; x += lanes) hn::StoreU(finished(x), d, out + x);
    if (x < to.left) store_part(finished(x), out + x, to.left - x);
  }
}

// O rows by T vectors of pixels.
template <class Dots, size_t O, size_t T>
HWY_INLINE void sum_block(const QuantisedRows& rows, const Steps& steps, size_t o, Sums& sums) {
  const DI di;
  const size_t lanes = hn::Lanes(di), row = steps.count * Dots::kWords;
  typename Dots::Sum sum[O][T];
  HWY_UNROLL(8)
  for (size_t i = 0; i < O; ++i) {
    HWY_UNROLL(8)
    for (size_t t = 0; t < T; ++t) sum[i][t] = Dots::begin(hn::Set(di, rows.start[o + i]));
  }
  const int32_t* weight = rows.words + o * row;
  for (size_t k = 0; k < steps.count; ++k, weight += Dots::kWords) {
    const int32_t* words = steps.words + steps.offset[k];
    typename Dots::Bytes x[T];
    HWY_UNROLL(8)
    for (size_t t = 0; t < T; ++t) x[t] = Dots::bytes(hn::LoadU(di, words + t * lanes));
    HWY_UNROLL(8)
    for (size_t i = 0; i < O; ++i) {
      const typename Dots::Weights w = Dots::broadcast(weight + i * row);
      HWY_UNROLL(8)
      for (size_t t = 0; t < T; ++t) Dots::dot(sum[i][t], x[t], w);
    }
  }
  HWY_UNROLL(8)
  for (size_t i = 0; i < O; ++i) {
    HWY_UNROLL(8)
    for (size_t t = 0; t < T; ++t) hn::Store(Dots::total(sum[i][t]), di, sums.row[i] + t * lanes);
  }
}

// All rows; the last block may begin among those of the one before.
template <class Dots, size_t T>
HWY_INLINE void quantised_columns(const QuantisedRows& rows, size_t outputs, const Steps& steps,
                                  const Target& to, const Epilogue& e) {
  Sums sums;
  for (size_t o = 0; o < outputs && outputs < Dots::kRows; ++o) {
    sum_block<Dots, 1, T>(rows, steps, o, sums);
    finish_block(rows, sums, to, e, o, 1);
  }
  for (size_t next = 0; next < outputs && outputs >= Dots::kRows; next += Dots::kRows) {
    const size_t o = HWY_MIN(next, outputs - Dots::kRows);
    sum_block<Dots, Dots::kRows, T>(rows, steps, o, sums);
    finish_block(rows, sums, to, e, o, Dots::kRows);
  }
}

// `left` pixels, at most kVectors vectors of them.
template <class Dots>
HWY_ATTR HWY_NOINLINE void quantised_tile(const QuantisedRows& rows, size_t outputs, const Steps& steps,
                                          const Target& to, const Epilogue& e) {
  if (to.left > hn::Lanes(D()))
    quantised_columns<Dots, kVectors>(rows, outputs, steps, to, e);
  else
    quantised_columns<Dots, 1>(rows, outputs, steps, to, e);
}

// The channels of one pixel as bytes, behind them what counts as nothing: the next row's weights meet it.
HWY_INLINE void quantised_pixel(const QuantisedPointwise& a, uint8_t nothing, int32_t* scratch) {
  const D d;
  const DI di;
  const hn::Rebind<uint8_t, DI> bytes;
  const size_t lanes = hn::Lanes(d);
  const Levels levels(a.rows);
  const V inverse = hn::Set(d, a.rows.inverse);
  const VI add = hn::Set(di, static_cast<int32_t>(levels.add));
  auto* to = reinterpret_cast<uint8_t*>(scratch);
  for (size_t k = 0; k < a.inputs; k += lanes) {
    const V by = a.by != nullptr ? hn::Mul(inverse, hn::LoadU(d, a.by + k)) : inverse;
    const VI level = hn::Add(levels.of(hn::LoadU(d, a.in + k), by), add);
    hn::StoreU(hn::DemoteTo(bytes, level), bytes, to + k);
  }
  std::memset(to + a.inputs, nothing, 4 * (quads(a.inputs) + lanes) - a.inputs);
}

// One pixel: rows are dotted along their channels, a vector of words at a time.
template <class Dots>
HWY_INLINE void quantised_dense(const QuantisedPointwise& a, const Epilogue& e, int32_t* scratch) {
  const D d;
  const DI di;
  const size_t lanes = hn::Lanes(d), count = quads(a.inputs);
  quantised_pixel(a, Dots::kZero, scratch);
  for (size_t o = 0; o < a.outputs; ++o) {
    const int32_t* weight = a.rows.words + o * count * Dots::kWords;
    auto sum = Dots::begin(hn::Zero(di));
    for (size_t k = 0; k < count; k += lanes)
      Dots::dot(sum, Dots::bytes(hn::LoadU(di, scratch + k)), Dots::load(weight + Dots::kWords * k));
    const int32_t whole = hn::GetLane(hn::SumOfLanes(di, Dots::total(sum))) + a.rows.start[o];
    const size_t channel = o * a.out_step;
    const V y = hn::Set(d, static_cast<float>(whole) * a.rows.step[o]);
    a.out[channel] = hn::GetLane(ChannelEpilogue(e, channel, 1).apply(y, 0));
  }
}

template <class Dots>
HWY_ATTR void quantised_pointwise(const QuantisedPointwise& a, const Epilogue& e, Range pixels,
                                  int32_t* scratch) {
  if (a.pixels == 1) return quantised_dense<Dots>(a, e, scratch);
  const DI di;
  const size_t lanes = hn::Lanes(D()), tile = kVectors * lanes, count = quads(a.inputs);
  int32_t* words = scratch + (count + 15) / 16 * 16;
  for (size_t k = 0; k < count; ++k) scratch[k] = static_cast<int32_t>(k * tile);
  const Steps steps{words, scratch, count};
  for (size_t p = pixels.begin; p < pixels.end; p += tile) {
    const size_t left = HWY_MIN(tile, pixels.end - p);
    for (size_t k = 0; k < count; ++k) {
      const size_t c = 4 * k;
      const WordMaker make(a.rows, a.in + c * a.pixels, a.by != nullptr ? a.by + c : nullptr, a.pixels,
                           HWY_MIN(size_t{4}, a.inputs - c));
      for (size_t x = 0; x < left; x += lanes) hn::StoreU(make.at(p + x), di, words + k * tile + x);
    }
    quantised_tile<Dots>(a.rows, a.outputs, steps, {a.out, a.pixels, a.out_step, p, left}, e);
  }
}

/// The rows of words that a row of output needs: for each quad of channels a ring of kernel_h rows with their
/// border, columns apart by what is left when divided by the stride, so that a tap reads neighbours.
class WordRing {
 public:
  HWY_INLINE explicit WordRing(const QuantisedConvolution& c)
      : s_(c.s),
        rows_(c.rows),
        columns_((s_.padded_width() + s_.stride - 1) / s_.stride),
        part_(row_step(columns_)),
        border_(static_cast<int32_t>(static_cast<uint32_t>(rows_.zero) * 0x01010101U)),
        steps_(quads(s_.channels) * s_.kernel_h * s_.kernel_w),
        offset_(c.scratch),
        line_(offset_ + (steps_ + 15) / 16 * 16),
        ring_(line_ + row_step(s_.width)) {}

  // Row `y` of the padded input.
  HWY_INLINE void fill(size_t y) const {
    const bool inside = y >= s_.pad_h && y < s_.pad_h + s_.height;
    for (size_t q = 0; q < quads(s_.channels); ++q) {
      int32_t* to = ring_ + (q * s_.kernel_h + y % s_.kernel_h) * part_ * s_.stride;
      for (size_t i = 0; i < s_.stride; ++i)
        border(to + i * part_, inside ? (s_.pad_w + 1) / s_.stride : columns_);
      if (!inside) continue;
      const float* in = s_.in + (4 * q * s_.height + y - s_.pad_h) * s_.width;
      const WordMaker make(rows_, in, nullptr, s_.height * s_.width, HWY_MIN(size_t{4}, s_.channels - 4 * q));
      s_.stride == 1 ? whole(make, to) : halves(make, to);
      for (size_t i = 0; i < s_.stride; ++i) {
        const size_t end = (s_.pad_w + s_.width + s_.stride - 1 - i) / s_.stride;
        border(to + i * part_ + end, columns_ - end);
      }
    }
  }

  // For row `y` of the output.
  HWY_INLINE Steps steps(size_t y) const {
    int32_t* next = offset_;
    for (size_t q = 0; q < quads(s_.channels); ++q)
      for (size_t ky = 0; ky < s_.kernel_h; ++ky)
        for (size_t kx = 0; kx < s_.kernel_w; ++kx) {
          const size_t row = q * s_.kernel_h + (y * s_.stride + ky) % s_.kernel_h;
          *next++ = static_cast<int32_t>((row * s_.stride + kx % s_.stride) * part_ + kx / s_.stride);
        }
    return {ring_, offset_, steps_};
  }

 private:
  // Whole vectors: what runs over is written after, or slack.
  HWY_INLINE void border(int32_t* to, size_t count) const {
    const DI di;
    for (size_t x = 0; x < count; x += hn::Lanes(di)) hn::StoreU(hn::Set(di, border_), di, to + x);
  }
  HWY_INLINE void whole(const WordMaker& make, int32_t* to) const {
    const DI di;
    for (size_t x = 0; x < s_.width; x += hn::Lanes(di)) hn::StoreU(make.at(x), di, to + s_.pad_w + x);
  }
  HWY_INLINE void halves(const WordMaker& make, int32_t* to) const {
    const DI di;
    const size_t lanes = hn::Lanes(di), first = s_.pad_w % 2;
    int32_t *evens = to + first * part_ + s_.pad_w / 2, *odds = to + (1 - first) * part_ + (s_.pad_w + 1) / 2;
    for (size_t x = 0; x < s_.width; x += lanes) hn::StoreU(make.at(x), di, line_ + x);
    for (size_t x = 0; x < s_.width; x += 2 * lanes) {
      VI even, odd;
      hn::LoadInterleaved2(di, line_ + x, even, odd);
      hn::StoreU(even, di, evens + x / 2);
      hn::StoreU(odd, di, odds + x / 2);
    }
  }

  const Spatial& s_;
  const QuantisedRows& rows_;
  size_t columns_, part_;
  int32_t border_;
  size_t steps_;
  int32_t *offset_, *line_, *ring_;
};

template <class Dots>
HWY_ATTR void quantised_convolution(const QuantisedConvolution& c, const Epilogue& e, Range rows) {
  const Spatial& s = c.s;
  const WordRing ring(c);
  const size_t tile = kVectors * hn::Lanes(D());
  size_t filled = rows.begin * s.stride;
  for (size_t y = rows.begin; y < rows.end; ++y) {
    for (; filled < y * s.stride + s.kernel_h; ++filled) ring.fill(filled);
    Steps steps = ring.steps(y);
    for (size_t x = 0; x < s.out_width; x += tile, steps.words += tile)
      quantised_tile<Dots>(
          c.rows, s.outputs, steps,
          {s.out, s.out_height * s.out_width, 1, y * s.out_width + x, HWY_MIN(tile, s.out_width - x)}, e);
  }
}

}  // namespace perennial::edge::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
