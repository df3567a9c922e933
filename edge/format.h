#pragma once

#include <cstdint>

namespace perennial::edge {

/// The .peb file: little-endian, in this order: Header, TensorRecord[tensors], OpRecord[ops],
/// PortRecord[ports], names (name_bytes, each ended by a zero), zeros up to a multiple of 64, weights.
/// Everything that runs is said here; a loader copies what lies before the weights and checks it, and nothing
/// is parsed.
inline constexpr char kMagic[8] = {'P', 'R', 'N', 'L', 'E', 'D', 'G', 'E'};
inline constexpr uint32_t kPlainVersion = 2;
inline constexpr uint32_t kDilatedVersion = 3;  ///< written for dilated kernels
/// Written for largest-value pools, and for ports with flags beside kBlueFirst. All versions from
/// kPlainVersion on are read, and the least that a model needs is written.
inline constexpr uint32_t kFormatVersion = 4;
inline constexpr uint32_t kNoTensor = 0xffffffff;
inline constexpr uint64_t kNoWeight = ~uint64_t{0};

struct Header {
  char magic[8];
  uint32_t version, tensors, ops, ports;
  uint64_t name_bytes;
  uint64_t weights;   ///< bytes
  uint64_t arena;     ///< floats that the tensors lie in
  uint64_t checksum;  ///< seal() of the file
};

/// Planes [channels][height][width] at `offset` floats into the arena. Tensors may be parts of one another:
/// that is how channels are concatenated.
struct TensorRecord {
  uint32_t channels, height, width, reserved;
  uint64_t offset;
};

enum class OpKind : uint32_t {
  kPointwise,    ///< 1x1 convolution, weight [out][in / groups]
  kDepthwise,    ///< weight [channels][kernel_h][kernel_w]
  kConvolution,  ///< weight [out][in][kernel_h][kernel_w], one group
  kAffine,       ///< by channel: scale is `weight`, or 1
  kResize,       ///< bilinear, corners aligned or not (flag)
  kAveragePool,  ///< kernel_h = stride = factor
  kPlaneMeans,   ///< output [channels][1][1]
  kDense,        ///< input and output [n][1][1], weight [out][in]
  kGate,         ///< input coarse, second detail
  kMaxPool       ///< the largest of kernel_h x kernel_w, of those that lie in the input
};
inline constexpr uint32_t kOpKinds = 10;

/// Whether a kind has integer arithmetic.
constexpr bool sums_integers(OpKind kind) {
  return kind == OpKind::kPointwise || kind == OpKind::kConvolution || kind == OpKind::kDense;
}

enum OpFlags : uint32_t {
  kAlignCorners = 1,
  kInterleaveGroups =
      2  ///< kPointwise: row r of group g is output channel r * groups + g (a channel shuffle)
};

/// Terms of an integer sum at most: of 255 * 128 each, in 32 bits.
inline constexpr uint64_t kMostTerms = 1 << 16;

/// How the weights of an operation are stored.
enum class Dtype : uint32_t { kFloat32, kBfloat16, kInt8 };
inline constexpr uint32_t kDtypes = 3;

struct OpRecord {
  OpKind kind;
  uint32_t flags;
  uint32_t input, second, output;
  uint32_t skip;  ///< a tensor of the output's shape, added before the activation, or kNoTensor
  uint32_t
      input_scale;  ///< kPointwise: a tensor [in][1][1] that multiplies the input's channels, or kNoTensor
  uint32_t kernel_h, kernel_w, stride;
  uint32_t pad_h, pad_w;  ///< zeros above and on the left; those opposite follow from the output's size
  uint32_t groups;
  uint32_t activation;  ///< Epilogue::Activation
  float low, high;      ///< of a clamp
  Dtype weight_type;    ///< of `weight`; all others are float32
  uint32_t input_zero;  ///< 0..255
  float input_step;   ///< kInt8: the input is rounded to input_step * (q - input_zero), q in 0..255, and sums
                      ///< are of integers; 0: float arithmetic
  uint32_t dilation;  ///< of a kernel that is not 1x1, columns and rows from tap to tap; 0: 1
  uint64_t weight, bias, slope, skip_scale;  ///< bytes into the weights, or kNoWeight
  uint64_t weight_step;  ///< kInt8: [rows of `weight`]; a weight is weight_step * its integer
  uint64_t name;         ///< where in the names
};

/// What a port is, or how an image becomes its planes.
enum PortFlags : uint32_t {
  kBlueFirst = 1,     ///< an image's planes are blue, green, red
  kRounded = 2,       ///< an image is resized as Pillow's BILINEAR does, to the bit; else in floating point
  kCentre = 4,        ///< with kRounded: the aspect is kept, and what reaches beyond cut off on both sides
  kGrey = 8,          ///< with kRounded: every plane is the image's grey
  kClassScores = 16,  ///< an output: the softmax over its channels are probabilities
  kLabelled = 32,     ///< an output of one pixel: right behind its name, `channels` names follow: its labels
};
inline constexpr uint32_t kPortFlags = 64;  ///< and above: none
/// Bytes of one label at most, its zero among them.
inline constexpr uint64_t kLongestLabel = 1024;

/// An input or output of the model.
struct PortRecord {
  uint32_t tensor, is_output;
  uint64_t name;
  float mean[3], std[3];  ///< of an image input, in the order of its planes, in 0..255
  float divisor;          ///< (pixel - mean) / std / divisor; 0: not an image
  uint32_t flags;         ///< PortFlags
};

static_assert(sizeof(Header) == 56 && sizeof(TensorRecord) == 24 && sizeof(OpRecord) == 128 &&
              sizeof(PortRecord) == 48);

/// Where the weights begin: a multiple of 64.
constexpr uint64_t weights_at(const Header& h) {
  const uint64_t before = sizeof(Header) + uint64_t{h.tensors} * sizeof(TensorRecord) +
                          uint64_t{h.ops} * sizeof(OpRecord) + uint64_t{h.ports} * sizeof(PortRecord) +
                          h.name_bytes;
  return (before + 63) / 64 * 64;
}

/// FNV-1a of a file over 8-byte words (the tail byte by byte), leaving out the checksum in its header.
/// `bytes` is at least sizeof(Header).
uint64_t seal(const void* file, uint64_t bytes);

}  // namespace perennial::edge
