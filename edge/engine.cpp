#include "edge/engine.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>
#include <stdexcept>

#include "edge/split-inl.h"
#include "edge/subnormals.h"

namespace perennial::edge {
namespace {

constexpr size_t kMostThreads = 64;
constexpr size_t kCostOfMoving = 8;  // a float that is read, changed a little and written, in multiply-adds

uint64_t floats(const TensorRecord& t) { return uint64_t{t.channels} * t.height * t.width; }

// A NaN that no arithmetic gives: an input that begins with it has not been written.
constexpr uint32_t kUnwritten = 0x7fb5a3c1;

double seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

bool overlap(const TensorRecord& a, const TensorRecord& b) {
  return a.offset < b.offset + floats(b) && b.offset < a.offset + floats(a);
}

}  // namespace

void Engine::FreeAligned::operator()(float* p) const { std::free(p); }

Engine::Engine(Model model, const Kernels& kernels, uint64_t most_bytes)
    : model_(std::move(model)),
      kernels_(kernels),
      budget_(most_bytes),
      weights_(model_, kernels, budget_),
      tables_(model_, budget_) {
  budget_.take(model_.bytes());
  plan();
  const uint64_t bytes = floats_ * sizeof(float);
  budget_.take(bytes);
  void* memory = std::aligned_alloc(64, bytes);
  if (memory == nullptr) throw std::bad_alloc();
  std::memset(memory, 0, bytes);
  memory_.reset(static_cast<float*>(memory));
  place_inputs();
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
  for (const OpRecord& op : model_.ops()) {
    const TensorRecord &in = model_.tensors()[op.input], &out = model_.tensors()[op.output];
    if (op.kind == OpKind::kPointwise && op.input_scale != kNoTensor)
      most = std::max<size_t>(most, size_t{out.channels} * (in.channels / op.groups));
    most = std::max(most, laid_out_floats(op));
  }
  floats_ = behind(scratch_at_, most);
}

// The compiler keeps inputs and outputs apart, but for an output that is an input; older files have both.
void Engine::place_inputs() {
  uint64_t apart = 0;
  budget_.take(model_.ports().size() * sizeof(Input));
  for (const PortRecord& port : model_.ports()) {
    if (port.is_output != 0) continue;
    const TensorRecord& in = model_.tensors()[port.tensor];
    const bool meets = std::any_of(model_.ports().begin(), model_.ports().end(), [&](const PortRecord& p) {
      return p.is_output != 0 && overlap(in, model_.tensors()[p.tensor]);
    });
    inputs_.push_back({model_.name(port.name), port.tensor, meets, planes(port.tensor)});
    if (meets) apart += floats(in);
  }
  resize(apart_, apart, &budget_);
  float* at = apart_.data();
  for (Input& input : inputs_) {
    if (input.apart) input.planes = {at, input.planes.size()}, at += input.planes.size();
  }
  leave_inputs();
}

void Engine::fill_inputs(float value) {
  for (const Input& input : inputs_) std::fill(input.planes.begin(), input.planes.end(), value);
}

void Engine::leave_inputs() {
  for (const Input& input : inputs_) std::memcpy(input.planes.data(), &kUnwritten, sizeof kUnwritten);
}

void Engine::take_inputs() {
  for (const Input& input : inputs_) {
    uint32_t first = 0;
    std::memcpy(&first, input.planes.data(), sizeof first);
    if (first == kUnwritten)
      throw std::invalid_argument("input " + std::string(input.name) +
                                  " has not been written since the last run");
  }
  for (const Input& input : inputs_)
    if (input.apart) std::copy(input.planes.begin(), input.planes.end(), planes(input.tensor).data());
}

std::span<float> Engine::planes(uint32_t tensor) const {
  const TensorRecord& t = model_.tensors()[tensor];
  return {memory_.get() + kSlack + t.offset, floats(t)};
}

std::span<const float> Engine::output(size_t index) const { return planes(model_.port(true, index).tensor); }

void Engine::take_words(size_t parts) {
  resize(words_, uint64_t{parts} * part_words_, &budget_);
  std::fill(words_.begin(), words_.end(), 0);
}

void Engine::set_threads(size_t threads) {
  if (threads < 1 || threads > kMostThreads) throw std::invalid_argument("expected 1 to 64 threads");
  pool_.reset();
  take_words(threads > 1 ? kPartsOfThread * threads : 1);
  if (threads > 1) pool_ = std::make_unique<Pool>(threads);
}

void Engine::run() {
  take_inputs();
  const FlushSubnormals flush;
  for (size_t i = 0; i < model_.ops().size(); ++i) step(i);
  leave_inputs();
}

void Engine::run(const std::function<void(size_t, double)>& after) {
  const clockid_t clock = pool_ ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
  take_inputs();
  const FlushSubnormals flush;
  for (size_t i = 0; i < model_.ops().size(); ++i) {
    const double start = seconds(clock);
    step(i);
    after(i, seconds(clock) - start);
  }
  leave_inputs();
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
      if (laid_out_floats(op) > 0) return laid_out(op, e);
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
    case OpKind::kMaxPool: {
      const Spatial work = spatial(op);
      return split(out.channels, 1, outputs * taps, [&](Range part) { kernels_.max_pool(work, part); });
    }
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
      const Interpolation &across = tables_.across(index), &down = tables_.down(index);
      const Resize work{from,
                        to,
                        across.index.data(),
                        down.index.data(),
                        across.share.data(),
                        down.share.data(),
                        in.channels,
                        in.height,
                        in.width,
                        out.height,
                        out.width};
      return split(rows, 1, out.width * kCostOfMoving, [&](Range part) { kernels_.resize(work, e, part); });
    }
  }
}

}  // namespace perennial::edge
