#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "perennial/data/samples.h"
#include "perennial/io/state.h"

namespace perennial {

/// How much a memory may hold: a number of samples ("500") or of bytes ("50MB").
struct MemoryBudget {
  int64_t samples = 500;
  int64_t bytes = 0;  ///< when positive it decides, and samples is ignored

  static MemoryBudget parse(std::string_view text);  ///< std::invalid_argument when it is neither
  std::string text() const;
  /// How many rows of the size of `like`'s fit.
  int64_t capacity(const Samples& like) const;
};

/// A bounded store of samples, the episodic memory of a learner. Rows are copies: the stream they came from
/// may be gone. A policy (policy.h) decides who stays.
class Memory {
 public:
  explicit Memory(MemoryBudget budget) : budget_(budget) {}

  const Samples& samples() const { return samples_; }
  int64_t size() const { return samples_.size(); }
  int64_t bytes() const { return samples_.bytes(); }
  const MemoryBudget& budget() const { return budget_; }
  int64_t capacity(const Samples& like) const { return budget_.capacity(like); }

  /// One score per row (Rainbow Memory: uncertainty), or empty when the policy has none.
  const std::vector<float>& scores() const { return scores_; }

  /// New content; throws std::invalid_argument when it exceeds the budget.
  void replace(Samples samples, std::vector<float> scores = {});
  /// Appends row `row` of `from`, or overwrites slot `slot` with it.
  void append(const Samples& from, int64_t row);
  void overwrite(int64_t slot, const Samples& from, int64_t row);

  void save(State& state, const std::string& prefix) const;
  void load(const State& state, const std::string& prefix);

 private:
  MemoryBudget budget_;
  Samples samples_;
  std::vector<float> scores_;
};

}  // namespace perennial
