#pragma once

#include "edge/kernels/kernels.h"

namespace perennial::edge {

/// Integer weights in rows (output channels) and the input's 8 bits: q = round(x / input step) + zero,
/// clamped to 0..255. A row gives step * sum of weight * (q - zero), the sum exact.
struct QuantisedRows {
  const int32_t* words;  ///< pack()
  const int32_t* start;  ///< [rows] (byte_zero - zero) times the row's sum
  const float* step;     ///< [rows] the weights' times the input's
  float inverse;         ///< of the input's step
  int32_t zero;
};

/// 1x1 convolution as Pointwise does it; `by` [inputs] multiplies the input's channels, or is null.
struct QuantisedPointwise {
  const float* in;
  const float* by;
  float* out;
  QuantisedRows rows;
  size_t inputs, outputs, pixels, out_step;
};

/// General convolution; of `s`, neither weight nor zeros are used.
struct QuantisedConvolution {
  Spatial s;
  QuantisedRows rows;
  int32_t* scratch;  ///< quantised_convolution_scratch(s)
};

/// The integer kernels of one instruction set; they sum alike on each.
struct QuantisedKernels {
  /// Words that pack() makes of four weights.
  size_t words_per_quad;
  /// What a byte of the input counts from in the sums: 128 where the instruction is of signed bytes, else 0.
  int32_t byte_zero;
  /// Weights [rows][channels][taps] to words [rows][ceil(channels / 4)][taps][words_per_quad].
  void (*pack)(const int8_t* weights, size_t rows, size_t channels, size_t taps, int32_t* words);
  /// scratch: quantised_pointwise_scratch(inputs) words.
  void (*pointwise)(const QuantisedPointwise&, const Epilogue&, Range pixels, int32_t* scratch);
  void (*convolution)(const QuantisedConvolution&, const Epilogue&, Range rows);
};

/// Words from row to row of a scratch: whole vectors may run over a row's end, and never into the next.
inline constexpr size_t row_step(size_t columns) { return (columns + 32 + 15) / 16 * 16; }
inline constexpr size_t quads(size_t channels) { return (channels + 3) / 4; }
/// Words of scratch.
size_t quantised_pointwise_scratch(size_t inputs);
size_t quantised_convolution_scratch(const Spatial& s);

/// Those of a Highway target.
const QuantisedKernels& quantised_kernels(int64_t target);
/// Those with one instruction for four products: AVX-512 VNNI, or the dot product of ARM v8.2, where AVX-512
/// or NEON is compiled for.
const QuantisedKernels& byte_dot_kernels();

}  // namespace perennial::edge
