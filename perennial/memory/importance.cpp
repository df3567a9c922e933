#include "perennial/memory/importance.h"

#include <algorithm>

#include "perennial/memory/admission.h"

namespace perennial {
namespace {

void keep_only(std::map<int64_t, double>& values, const std::vector<int64_t>& ids) {
  std::map<int64_t, double> kept;
  for (const int64_t id : ids)
    if (const auto at = values.find(id); at != values.end()) kept.insert(*at);
  values = std::move(kept);
}

void put(State& state, const std::string& name, const std::map<int64_t, double>& values) {
  std::vector<int64_t> ids;
  std::vector<float> numbers;
  for (const auto& [id, value] : values) ids.push_back(id), numbers.push_back(static_cast<float>(value));
  state.put_ints(name + ".ids", ids);
  state.put_floats(name, numbers);
}

std::map<int64_t, double> get(const State& state, const std::string& name) {
  const std::vector<int64_t> ids = state.ints(name + ".ids");
  const std::vector<float> numbers = state.floats(name);
  std::map<int64_t, double> values;
  for (size_t i = 0; i < std::min(ids.size(), numbers.size()); ++i) values[ids[i]] = numbers[i];
  return values;
}

}  // namespace

double ImportanceMemory::importance(int64_t id) const {
  const auto at = importance_.find(id);
  return at == importance_.end() ? 0 : at->second;
}

// One by one, so that each may be the one to go for the next but not for itself.
void ImportanceMemory::offer(Memory& memory, const Samples& batch, const AskEvidence&) {
  for (int64_t row = 0; row < batch.size(); ++row) {
    const auto position = static_cast<uint64_t>(++offers_);
    if (!memory.could_hold(batch, row)) continue;
    const int64_t label = batch.labels()[static_cast<size_t>(row)],
                  id = batch.ids()[static_cast<size_t>(row)];
    auto classes = rows_by_label(memory.labels());
    double sum = 0;
    const std::vector<int64_t>& own = classes[label];
    for (const int64_t slot : own) sum += importance(memory.ids()[static_cast<size_t>(slot)]);
    const double first = own.empty() ? 0 : sum / static_cast<double>(own.size());
    int64_t slot = memory.size();
    if (slot >= memory.capacity(batch.row_bytes(row)) && slot > 0) {
      const auto held = [&](const auto& c) { return std::ssize(c.second) + (c.first == label ? 1 : 0); };
      const auto largest =
          std::max_element(classes.begin(), classes.end(), [&](const auto& a, const auto& b) {
            return a.second.empty() || (!b.second.empty() && held(a) < held(b));
          });
      slot = *std::min_element(largest->second.begin(), largest->second.end(), [&](int64_t a, int64_t b) {
        return importance(memory.ids()[static_cast<size_t>(a)]) <
               importance(memory.ids()[static_cast<size_t>(b)]);
      });
    }
    memory.put(slot, batch, row, Random(0, "memory room", position));
    importance_[id] = static_cast<float>(first);
  }
  keep_only(importance_, memory.ids());
  keep_only(losses_, memory.ids());
}

std::optional<double> ImportanceMemory::trained_on(const Memory& memory, std::span<const int64_t> ids,
                                                   std::span<const float> losses) {
  double fall = 0;
  int64_t known = 0;
  std::map<int64_t, double> now;
  for (size_t i = 0; i < losses.size(); ++i) {
    const int64_t id = memory.ids()[i];
    if (const auto before = losses_.find(id); before != losses_.end())
      fall += before->second - losses[i], ++known;
    now[id] = losses[i];
  }
  losses_ = std::move(now);
  if (known == 0) return std::nullopt;
  fall /= static_cast<double>(known);
  for (const int64_t id : ids)
    if (const auto at = importance_.find(id); at != importance_.end())
      at->second = static_cast<float>(ema_ * at->second + (1 - ema_) * fall);
  return fall;
}

void ImportanceMemory::save(State& state, const std::string& prefix) const {
  state.put(prefix + "offers", offers_);
  put(state, prefix + "importance", importance_);
  put(state, prefix + "losses", losses_);
}

void ImportanceMemory::load(const State& state, const std::string& prefix) {
  offers_ = state.value<int64_t>(prefix + "offers");
  importance_ = get(state, prefix + "importance");
  losses_ = get(state, prefix + "losses");
}

}  // namespace perennial
