#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "perennial/data/dataset.h"
#include "perennial/memory/memory.h"

namespace perennial {

/// What the labels of samples with noise are in truth, for those who measure; learners never see it. The data
/// that the memory's samples came from may be those of an earlier update, which are gone: what is in the
/// memory then is kept.
class LabelTruth {
 public:
  /// Data have arrived; where they know no truth, none is known of them.
  void arrived(const Dataset& train);
  /// Forgets the truth about earlier data but for what is in the memory now.
  void keep(const Memory& memory);
  std::optional<int64_t> of(int64_t id) const;
  /// The share of the memory's labels that are right, of those whose truth is known; nothing of none.
  std::optional<double> purity(const Memory& memory) const;
  /// Samples of the memory by [label in truth][label given], where the truth is known.
  std::vector<std::vector<int64_t>> confusion(const Memory& memory, size_t classes) const;

  nlohmann::json save() const { return kept_; }
  void load(const nlohmann::json& saved) { saved.get_to(kept_); }

 private:
  std::map<int64_t, int64_t> kept_;             ///< by id
  std::unordered_map<int64_t, int64_t> given_;  ///< of the present data
};

}  // namespace perennial
