#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace perennial::edge {

/// What follows a sum before it is stored: y = activation(sum + bias + skip * skip_scale), by channel.
struct Epilogue {
  enum class Activation : uint32_t { kNone, kClamp, kPrelu };
  const float* bias = nullptr;        ///< [channels], or null
  const float* skip = nullptr;        ///< planes like the output, or null
  const float* skip_scale = nullptr;  ///< [channels], or null for 1
  Activation activation = Activation::kNone;
  const float* bend = nullptr;  ///< kPrelu: [channels] of slope - 1
  float low = 0, high = 0;      ///< kClamp

  /// From channel `first` on, of planes of `plane` pixels.
  Epilogue from(size_t first, size_t plane) const {
    const auto at = [first](const float* p, size_t step) { return p == nullptr ? p : p + first * step; };
    return {at(bias, 1), at(skip, plane), at(skip_scale, 1), activation, at(bend, 1), low, high};
  }
};

/// Activations are planes: [channels][height][width] floats without gaps. A buffer is readable for
/// kSlack floats before its beginning and beyond its end.
inline constexpr size_t kSlack = 128;

/// 1x1 convolution, one group: out[o] = sum_k weight[o][k] * in[k] over `pixels`.
/// Output channel o goes to plane o * out_step of `out`; the epilogue's arrays are stepped alike.
struct Pointwise {
  const float* in;
  float* out;
  const float* weight;
  size_t inputs, outputs, pixels, out_step;
};

/// Depthwise convolution of `channels` planes, weight [channels][kernel_h][kernel_w].
/// Convolution of one group likewise, weight [outputs][inputs][kernel_h][kernel_w]: then `channels` is
/// inputs.
struct Spatial {
  const float* in;
  float* out;
  const float* weight;
  size_t channels, outputs;
  size_t height, width, out_height, out_width;
  size_t kernel_h, kernel_w, stride, dilation;
  size_t pad_h, pad_w;  ///< zeros above and on the left; those opposite follow from the output's size
  const float* zeros;   ///< `width` of them, with slack that is zero too

  /// Columns from a kernel's first tap to its last.
  size_t reach_w() const { return (kernel_w - 1) * dilation + 1; }
  /// Columns that taps lie in.
  size_t padded_width() const { return std::max(pad_w + width, (out_width - 1) * stride + reach_w()); }
};

/// Planes of in_height x in_width to planes of out_height x out_width; `left` and `share` [out_width] say
/// between which columns a column lies and how near the right one.
struct Resize {
  const float* in;
  float* out;
  const int32_t *left, *top;
  const float *share, *down;
  size_t channels, in_height, in_width, out_height, out_width;
};

/// Items [begin, end) of an operation's work. Parts may run at the same time, and what they write does not
/// depend on where an operation is parted.
struct Range {
  size_t begin, end;
};
/// Rows of a convolution's output that a range holds at least, unless it holds them all.
inline constexpr size_t kLeastRows = 4;

struct QuantisedKernels;

/// The kernels of one instruction set.
struct Kernels {
  const char* name;
  void (*pointwise)(const Pointwise&, const Epilogue&, Range pixels);
  void (*depthwise)(const Spatial&, const Epilogue&, Range channels);
  void (*convolution)(const Spatial&, const Epilogue&, Range rows);
  void (*resize)(const Resize&, const Epilogue&,
                 Range rows);  ///< of all channels' outputs, one after the other
  /// out = in * scale, by channel, then the epilogue; scale null: 1.
  void (*affine)(const float* in, const float* scale, float* out, size_t pixels, const Epilogue&,
                 Range channels);
  /// Mean over blocks of factor x factor; sides are divisible.
  void (*average_pool)(const float* in, float* out, size_t width, size_t factor,
                       Range rows);  ///< as for resize
  /// The largest of the kernel's values that lie in the plane; there is no weight.
  void (*max_pool)(const Spatial&, Range channels);
  /// Mean of each plane: out [channels].
  void (*plane_means)(const float* in, float* out, size_t pixels, Range channels);
  /// out[o] = sum_k weight[o][k] * in[k], then the epilogue.
  void (*dense)(const float* in, const float* weight, float* out, size_t inputs, const Epilogue&,
                Range outputs);
  /// SINet's information blocking (section 3.2): out = detail * (1 - max_k softmax(coarse)_k) + coarse.
  void (*gate)(const float* coarse, const float* detail, float* out, size_t channels, size_t plane,
               Range pixels);
  /// Nothing but multiply-adds in registers, to measure what a core does at most: gives how many. out [192].
  double (*only_multiply_adds)(size_t rounds, float* out);
  const QuantisedKernels* integers;
};

/// The best that this processor runs.
const Kernels& best_kernels();
/// All that this processor runs, the best first.
std::vector<const Kernels*> all_kernels();

}  // namespace perennial::edge
