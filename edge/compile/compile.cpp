#include "edge/compile/compile.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "edge/compile/fold.h"
#include "edge/compile/lower.h"
#include "edge/compile/store.h"
#include "edge/engine.h"

namespace perennial::edge {
namespace {

template <class T>
void append(std::vector<std::byte>& out, const T* data, size_t count) {
  if (count == 0) return;
  const size_t before = out.size();
  out.resize(before + count * sizeof(T));
  std::memcpy(out.data() + before, data, count * sizeof(T));
}

// The least that reads it.
uint32_t version_of(const Program& p) {
  uint32_t version = kPlainVersion;
  for (const OpRecord& op : p.ops) {
    if (op.dilation > 1) version = std::max(version, kDilatedVersion);
    if (op.kind == OpKind::kMaxPool) version = kFormatVersion;
  }
  for (const PortRecord& port : p.ports)
    if (port.flags > kBlueFirst) version = kFormatVersion;
  return version;
}

std::vector<std::byte> write(const Program& p, const std::vector<std::byte>& weights,
                             const std::vector<uint64_t>& offsets, uint64_t arena) {
  Header h{};
  std::memcpy(h.magic, kMagic, sizeof kMagic);
  h.version = version_of(p);
  h.tensors = static_cast<uint32_t>(p.tensors.size());
  h.ops = static_cast<uint32_t>(p.ops.size());
  h.ports = static_cast<uint32_t>(p.ports.size());
  h.name_bytes = p.names.size();
  h.weights = weights.size();
  h.arena = arena;
  std::vector<std::byte> out;
  append(out, &h, 1);
  for (size_t t = 0; t < p.tensors.size(); ++t) {
    const auto& s = p.tensors[t];
    const TensorRecord r{uint32_t(s.channels), uint32_t(s.height), uint32_t(s.width), 0, offsets[t]};
    append(out, &r, 1);
  }
  for (const OpRecord& op : p.ops) append(out, &op, 1);
  append(out, p.ports.data(), p.ports.size());
  append(out, p.names.data(), p.names.size());
  out.resize(weights_at(h));
  append(out, weights.data(), weights.size());
  std::memcpy(out.data(), &h, sizeof h);
  h.checksum = seal(out.data(), out.size());
  std::memcpy(out.data(), &h, sizeof h);
  return out;
}

// With the kernels that need most memory: those of the least processor.
void check_that_it_loads(const std::vector<std::byte>& file) {
  try {
    Engine(Model::from_memory(file, "what was made of the network"), *all_kernels().back());
  } catch (const BadModel& e) {
    throw std::invalid_argument(std::string("the runtime would refuse it: ") + e.what());
  }
}

}  // namespace

std::vector<std::byte> compile(Graph graph, const Precision& precision) {
  fold(graph);
  Program program = lower(graph);
  const auto weights = store(program, precision);
  std::vector<uint64_t> offsets;
  const uint64_t arena = place(program, offsets);
  auto file = write(program, weights, offsets, arena);
  check_that_it_loads(file);
  return file;
}

}  // namespace perennial::edge
