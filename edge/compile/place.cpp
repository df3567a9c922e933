#include <algorithm>
#include <numeric>

#include "edge/compile/lower.h"
#include "edge/kernels/kernels.h"

namespace perennial::edge {
namespace {

constexpr uint64_t kAlignment = 16;  // floats: a cache line

struct Life {
  int64_t from = -1, to = -1;
  bool input = false, output = false;
  uint64_t floats = 0;  // with slack: what kernels read beyond a tensor is none that they write
};

int root_of(const Program& p, uint32_t tensor) {
  int t = static_cast<int>(tensor);
  while (p.tensors[static_cast<size_t>(t)].inside >= 0) t = p.tensors[static_cast<size_t>(t)].inside;
  return t;
}

std::vector<Life> lives(const Program& p) {
  std::vector<Life> all(p.tensors.size());
  for (size_t t = 0; t < all.size(); ++t) {
    const auto& s = p.tensors[t];
    all[t].floats = uint64_t(s.channels) * uint64_t(s.height) * uint64_t(s.width) + kSlack;
  }
  std::vector<bool> born(all.size(), false);
  const auto touch = [&](uint32_t tensor, int64_t time) -> Life& {
    const auto r = static_cast<size_t>(root_of(p, tensor));
    if (!born[r]) all[r].from = time;
    born[r] = true;
    all[r].to = std::max(all[r].to, time);
    return all[r];
  };
  const auto end = static_cast<int64_t>(p.ops.size());
  for (const PortRecord& port : p.ports)
    if (port.is_output == 0) touch(port.tensor, -1).input = true;
  for (int64_t i = 0; i < end; ++i) {
    const OpRecord& op = p.ops[static_cast<size_t>(i)];
    for (const uint32_t t : {op.input, op.second, op.skip, op.input_scale, op.output})
      if (t != kNoTensor) touch(t, i);
  }
  for (const PortRecord& port : p.ports)
    if (port.is_output != 0) touch(port.tensor, end).output = true;
  return all;
}

// The next input is written while the last outputs are read.
bool together(const Life& a, const Life& b) {
  return (a.from <= b.to && b.from <= a.to) || (a.input && b.output) || (a.output && b.input);
}

}  // namespace

// The largest first, each at the lowest place that is free while it lives.
uint64_t place(const Program& program, std::vector<uint64_t>& offsets) {
  const auto life = lives(program);
  std::vector<size_t> order;
  for (size_t t = 0; t < life.size(); ++t)
    if (program.tensors[t].inside < 0) order.push_back(t);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return life[a].floats != life[b].floats ? life[a].floats > life[b].floats : a < b;
  });
  offsets.assign(life.size(), 0);
  uint64_t arena = 0;
  std::vector<size_t> placed;
  for (const size_t t : order) {
    std::vector<size_t> near;
    for (const size_t other : placed)
      if (together(life[t], life[other])) near.push_back(other);
    std::sort(near.begin(), near.end(), [&](size_t a, size_t b) { return offsets[a] < offsets[b]; });
    uint64_t at = 0;
    for (const size_t other : near) {
      if (at + life[t].floats <= offsets[other]) break;
      at = std::max(at, (offsets[other] + life[other].floats + kAlignment - 1) / kAlignment * kAlignment);
    }
    offsets[t] = at;
    arena = std::max(arena, at + life[t].floats);
    placed.push_back(t);
  }
  for (size_t t = 0; t < life.size(); ++t) {
    uint64_t at = 0;
    size_t r = t;
    for (; program.tensors[r].inside >= 0; r = static_cast<size_t>(program.tensors[r].inside))
      at += uint64_t(program.tensors[r].first) * uint64_t(program.tensors[r].height) *
            uint64_t(program.tensors[r].width);
    offsets[t] = offsets[r] + at;
  }
  return arena;
}

}  // namespace perennial::edge
