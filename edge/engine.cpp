#include "edge/engine.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>

#include "edge/split-inl.h"
#include "edge/subnormals.h"

namespace perennial::edge {
namespace {

constexpr uint64_t kMostFloats = uint64_t{1} << 26;
constexpr size_t kMostThreads = 64;
constexpr size_t kCostOfMoving = 8;  // a float that is read, changed a little and written, in multiply-adds

uint64_t floats(const TensorRecord& t) { return uint64_t{t.channels} * t.height * t.width; }

// Between which of `from` samples each of `to` lies, and how near the next; torch's bilinear interpolation.
void interpolation(uint32_t from, uint32_t to, bool align_corners, std::vector<int32_t>& index,
                   std::vector<float>& share) {
  index.assign(to + kSlack, 0);
  share.assign(to + kSlack, 0.0F);
  const double scale =
      align_corners ? (to > 1 ? (from - 1.0) / (to - 1.0) : 0.0) : static_cast<double>(from) / to;
  for (uint32_t i = 0; i < to; ++i) {
    const double at = align_corners ? i * scale : std::max(0.0, (i + 0.5) * scale - 0.5);
    const auto left = std::min<int32_t>(static_cast<int32_t>(at), static_cast<int32_t>(from) - 1);
    index[i] = left;
    share[i] = left + 1 < static_cast<int32_t>(from) ? static_cast<float>(at - left) : 0.0F;
  }
  std::fill(index.begin() + to, index.end(), index[to - 1]);  // read by whole vectors
}

}  // namespace

void Engine::FreeAligned::operator()(float* p) const { std::free(p); }

Engine::Engine(Model model, const Kernels& kernels)
    : model_(std::move(model)), kernels_(kernels), weights_(model_, kernels) {
  plan();
  const size_t bytes = floats_ * sizeof(float);
  void* memory = std::aligned_alloc(64, bytes);
  if (memory == nullptr) throw std::bad_alloc();
  std::memset(memory, 0, bytes);
  memory_.reset(static_cast<float*>(memory));
  for (const OpRecord& op : model_.ops())
    if (integral(op)) part_words_ = std::max(part_words_, quantised_scratch(op));
  take_words(1);
}

// Tensors, zeros, then the scratch of all operations, with slack around each.
void Engine::plan() {
  const auto behind = [](size_t at, size_t count) { return (at + count + kSlack + 15) / 16 * 16; };
  size_t widest = 0, most = 0;
  for (const TensorRecord& t : model_.tensors()) widest = std::max<size_t>(widest, t.width);
  zeros_at_ = behind(kSlack, model_.arena());
  scratch_at_ = behind(zeros_at_ + kSlack, widest);
  tables_.resize(model_.ops().size());
  for (size_t i = 0; i < model_.ops().size(); ++i) {
    const OpRecord& op = model_.ops()[i];
    const TensorRecord &in = model_.tensors()[op.input], &out = model_.tensors()[op.output];
    if (op.kind == OpKind::kPointwise && op.input_scale != kNoTensor)
      most = std::max<size_t>(most, size_t{out.channels} * (in.channels / op.groups));
    if (op.kind != OpKind::kResize) continue;
    const bool corners = (op.flags & kAlignCorners) != 0;
    interpolation(in.width, out.width, corners, tables_[i].left, tables_[i].share);
    interpolation(in.height, out.height, corners, tables_[i].top, tables_[i].down);
  }
  floats_ = behind(scratch_at_, most);
  if (floats_ > kMostFloats)
    throw BadModel("a model that needs " + std::to_string(floats_ * 4) + " bytes to run");
}

std::span<float> Engine::planes(uint32_t tensor) const {
  const TensorRecord& t = model_.tensors()[tensor];
  return {memory_.get() + kSlack + t.offset, floats(t)};
}

std::span<float> Engine::input(size_t index) { return planes(model_.port(false, index).tensor); }
std::span<const float> Engine::output(size_t index) const { return planes(model_.port(true, index).tensor); }
uint64_t Engine::arena_bytes() const {
  return floats_ * sizeof(float) + words_.size() * sizeof(int32_t) + weights_.bytes();
}

void Engine::take_words(size_t parts) {
  const uint64_t words = uint64_t{parts} * part_words_;
  if (words > kMostFloats)
    throw BadModel("a model that needs " + std::to_string(words * 4) + " bytes to run");
  words_.assign(words, 0);
}

void Engine::set_threads(size_t threads) {
  if (threads < 1 || threads > kMostThreads) throw std::invalid_argument("expected 1 to 64 threads");
  pool_.reset();
  take_words(threads > 1 ? kPartsOfThread * threads : 1);
  if (threads > 1) pool_ = std::make_unique<Pool>(threads);
}

void Engine::run() {
  const FlushSubnormals flush;
  for (size_t i = 0; i < model_.ops().size(); ++i) step(i);
}

void Engine::run(const std::function<void(size_t, double)>& after) {
  using Clock = std::chrono::steady_clock;
  const FlushSubnormals flush;
  for (size_t i = 0; i < model_.ops().size(); ++i) {
    const auto start = Clock::now();
    step(i);
    after(i, std::chrono::duration<double>(Clock::now() - start).count());
  }
}

Epilogue Engine::epilogue(const OpRecord& op) const {
  return {model_.weight(op.bias),
          op.skip == kNoTensor ? nullptr : planes(op.skip).data(),
          model_.weight(op.skip_scale),
          static_cast<Epilogue::Activation>(op.activation),
          weights_.bends(index_of(op)),
          op.low,
          op.high};
}

Spatial Engine::spatial(const OpRecord& op) const {
  const TensorRecord &in = model_.tensors()[op.input], &out = model_.tensors()[op.output];
  return {planes(op.input).data(),
          planes(op.output).data(),
          weight(op),
          in.channels,
          out.channels,
          in.height,
          in.width,
          out.height,
          out.width,
          op.kernel_h,
          op.kernel_w,
          op.stride,
          std::max(1U, op.dilation),
          op.pad_h,
          op.pad_w,
          memory_.get() + zeros_at_ + kSlack};
}

void Engine::pointwise(const OpRecord& op, const Epilogue& e) {
  const TensorRecord &in = model_.tensors()[op.input], &out = model_.tensors()[op.output];
  const size_t inputs = in.channels / op.groups, outputs = out.channels / op.groups;
  const size_t pixels = size_t{in.height} * in.width;
  const float* weight = this->weight(op);
  if (op.input_scale != kNoTensor) {
    const float* scale = planes(op.input_scale).data();
    float* scaled = memory_.get() + scratch_at_;
    for (size_t o = 0; o < out.channels; ++o) {
      const float *row = weight + o * inputs, *by = scale + o / outputs * inputs;
      for (size_t k = 0; k < inputs; ++k) scaled[o * inputs + k] = row[k] * by[k];
    }
    weight = scaled;
  }
  const bool interleave = (op.flags & kInterleaveGroups) != 0;
  for (size_t g = 0; g < op.groups; ++g) {
    const size_t first = interleave ? g : g * outputs;
    const Pointwise work{planes(op.input).data() + g * inputs * pixels,
                         planes(op.output).data() + first * pixels,
                         weight + g * outputs * inputs,
                         inputs,
                         outputs,
                         pixels,
                         interleave ? op.groups : 1};
    const Epilogue own = e.from(first, pixels);
    split_pixels(pixels, inputs * outputs, [&](Range part) { kernels_.pointwise(work, own, part); });
  }
}

void Engine::step(size_t index) {
  const OpRecord& op = model_.ops()[index];
  const TensorRecord &in = model_.tensors()[op.input], &out = model_.tensors()[op.output];
  const float* from = planes(op.input).data();
  float* to = planes(op.output).data();
  const size_t pixels = size_t{in.height} * in.width, rows = size_t{out.channels} * out.height;
  const size_t outputs = size_t{out.height} * out.width, taps = size_t{op.kernel_h} * op.kernel_w;
  const size_t moving = pixels * kCostOfMoving;
  const Epilogue e = epilogue(op);
  if (integral(op)) return quantised(op, e);
  switch (op.kind) {
    case OpKind::kPointwise: return pointwise(op, e);
    case OpKind::kDepthwise: {
      const Spatial work = spatial(op);
      return split(out.channels, 1, outputs * taps, [&](Range part) { kernels_.depthwise(work, e, part); });
    }
    case OpKind::kConvolution: {
      const Spatial work = spatial(op);
      return split(out.height, kLeastRows, out.width * taps * in.channels * out.channels,
                   [&](Range part) { kernels_.convolution(work, e, part); });
    }
    case OpKind::kAffine:
      return split(out.channels, 1, moving,
                   [&](Range part) { kernels_.affine(from, weight(op), to, pixels, e, part); });
    case OpKind::kAveragePool:
      return split(rows, 1, in.width * op.kernel_h * kCostOfMoving,
                   [&](Range part) { kernels_.average_pool(from, to, in.width, op.kernel_h, part); });
    case OpKind::kPlaneMeans:
      return split(out.channels, 1, moving,
                   [&](Range part) { kernels_.plane_means(from, to, pixels, part); });
    case OpKind::kDense:
      return split(out.channels, 1, in.channels,
                   [&](Range part) { kernels_.dense(from, weight(op), to, in.channels, e, part); });
    case OpKind::kGate: {
      const float* detail = planes(op.second).data();
      return split_pixels(pixels, in.channels * kCostOfMoving,
                          [&](Range part) { kernels_.gate(from, detail, to, in.channels, pixels, part); });
    }
    case OpKind::kResize: {
      const Table& t = tables_[index];
      const Resize work{from,        to,        t.left.data(), t.top.data(), t.share.data(), t.down.data(),
                        in.channels, in.height, in.width,      out.height,   out.width};
      return split(rows, 1, out.width * kCostOfMoving, [&](Range part) { kernels_.resize(work, e, part); });
    }
  }
}

}  // namespace perennial::edge
