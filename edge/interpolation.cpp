#include "edge/interpolation.h"

#include <algorithm>
#include <compare>
#include <map>

#include "edge/kernels/kernels.h"

namespace perennial::edge {
namespace {

struct Sides {
  uint32_t from, to;
  bool align_corners;
  auto operator<=>(const Sides&) const = default;
};

Interpolation interpolation(const Sides& s) {
  Interpolation t{std::vector<int32_t>(s.to + kSlack, 0), std::vector<float>(s.to + kSlack, 0.0F)};
  const double scale =
      s.align_corners ? (s.to > 1 ? (s.from - 1.0) / (s.to - 1.0) : 0.0) : static_cast<double>(s.from) / s.to;
  for (uint32_t i = 0; i < s.to; ++i) {
    const double at = s.align_corners ? i * scale : std::max(0.0, (i + 0.5) * scale - 0.5);
    const auto left = std::min<int32_t>(static_cast<int32_t>(at), static_cast<int32_t>(s.from) - 1);
    t.index[i] = left;
    t.share[i] = left + 1 < static_cast<int32_t>(s.from) ? static_cast<float>(at - left) : 0.0F;
  }
  std::fill(t.index.begin() + s.to, t.index.end(), t.index[s.to - 1]);  // read by whole vectors
  return t;
}

}  // namespace

InterpolationTables::InterpolationTables(const Model& model, Budget& budget) {
  budget.take(model.ops().size() * sizeof(Pair));
  of_op_.resize(model.ops().size());
  std::map<Sides, uint32_t> known;
  std::vector<Sides> all;
  const auto table_of = [&](const Sides& sides) {
    const auto [at, is_new] = known.emplace(sides, static_cast<uint32_t>(all.size()));
    if (is_new) {
      budget.take(sizeof(Interpolation) + (uint64_t{sides.to} + kSlack) * (sizeof(int32_t) + sizeof(float)));
      all.push_back(sides);
    }
    return at->second;
  };
  for (size_t i = 0; i < of_op_.size(); ++i) {
    const OpRecord& op = model.ops()[i];
    if (op.kind != OpKind::kResize) continue;
    const TensorRecord &in = model.tensors()[op.input], &out = model.tensors()[op.output];
    const bool corners = (op.flags & kAlignCorners) != 0;
    of_op_[i] = {table_of({in.width, out.width, corners}), table_of({in.height, out.height, corners})};
  }
  tables_.reserve(all.size());
  for (const Sides& sides : all) tables_.push_back(interpolation(sides));
}

}  // namespace perennial::edge
