#include "perennial/tasks/classify/label_truth.h"

namespace perennial {

void LabelTruth::arrived(const Dataset& train) {
  given_.clear();
  for (size_t i = 0; i < train.true_labels.size(); ++i) given_[train.ids[i]] = train.true_labels[i];
}

void LabelTruth::keep(const Memory& memory) {
  std::map<int64_t, int64_t> kept;
  for (const int64_t id : memory.ids())
    if (const auto truth = of(id)) kept[id] = *truth;
  kept_ = std::move(kept);
}

std::optional<int64_t> LabelTruth::of(int64_t id) const {
  if (const auto now = given_.find(id); now != given_.end()) return now->second;
  if (const auto before = kept_.find(id); before != kept_.end()) return before->second;
  return std::nullopt;
}

std::optional<double> LabelTruth::purity(const Memory& memory) const {
  int64_t known = 0, right = 0;
  for (int64_t i = 0; i < memory.size(); ++i) {
    const auto row = static_cast<size_t>(i);
    const auto truth = of(memory.ids()[row]);
    if (!truth) continue;
    ++known;
    if (*truth == memory.labels()[row]) ++right;
  }
  if (known == 0) return std::nullopt;
  return static_cast<double>(right) / static_cast<double>(known);
}

std::vector<std::vector<int64_t>> LabelTruth::confusion(const Memory& memory, size_t classes) const {
  std::vector<std::vector<int64_t>> counts(classes, std::vector<int64_t>(classes, 0));
  const auto inside = [&](int64_t label) { return label >= 0 && label < static_cast<int64_t>(classes); };
  for (int64_t i = 0; i < memory.size(); ++i) {
    const auto row = static_cast<size_t>(i);
    const auto truth = of(memory.ids()[row]);
    const int64_t label = memory.labels()[row];
    if (truth && inside(*truth) && inside(label))
      ++counts[static_cast<size_t>(*truth)][static_cast<size_t>(label)];
  }
  return counts;
}

}  // namespace perennial
