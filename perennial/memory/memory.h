#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "perennial/base/random.h"
#include "perennial/data/samples.h"
#include "perennial/io/state.h"
#include "perennial/memory/row_store.h"

namespace perennial {

/// How much a memory may hold: a number of samples ("500") or of bytes ("50MB").
struct MemoryBudget {
  int64_t samples = 500;
  int64_t bytes = 0;  ///< when positive it decides, and samples is ignored

  static MemoryBudget parse(std::string_view text);  ///< std::invalid_argument when it is neither
  std::string text() const;
  /// How many rows fit that take `row_bytes` on average.
  int64_t capacity(double row_bytes) const;
};

/// A bounded store of samples, the episodic memory of a learner. Rows are copies: the stream they came from
/// may be gone. A policy (policy.h) decides who stays. A budget in bytes counts what each row takes: where
/// rows differ in length (audio, tokens), some may have to go for a longer one.
class Memory {
 public:
  explicit Memory(MemoryBudget budget) : budget_(budget) {}

  /// Views, good until the memory changes; take() is cheaper where a few are wanted. Not to be asked for by
  /// several threads at once.
  const Samples& samples() const { return rows_.samples(); }
  const std::vector<int64_t>& ids() const { return rows_.ids(); }
  std::span<const int64_t> labels() const { return rows_.labels(); }
  Samples take(std::span<const int64_t> rows) const { return rows_.take(rows); }
  int64_t size() const { return rows_.size(); }
  int64_t bytes() const { return rows_.bytes(); }
  const MemoryBudget& budget() const { return budget_; }
  /// How many rows fit at the mean size of those of `like`, or of those here and one more of `row_bytes`.
  int64_t capacity(const Samples& like) const;
  int64_t capacity(int64_t row_bytes) const;
  /// Whether the row would fit if it were alone.
  bool could_hold(const Samples& from, int64_t row) const;

  /// One score per row (Rainbow Memory: uncertainty) as the last choice at a boundary gave it; empty when the
  /// policy has none or a row has changed since.
  const std::vector<float>& scores() const { return scores_; }

  /// New content, whose tensors the memory takes over; throws std::invalid_argument when it exceeds the
  /// budget.
  void replace(Samples samples, std::vector<float> scores = {});
  /// The same with these rows of `from`; of what a budget in bytes has no room for, `random` says who goes.
  void keep(const Samples& from, std::vector<int64_t> rows, std::vector<float> scores, Random random);
  /// A copy of row `row` of `from` behind the others. Throws std::invalid_argument when there is no room.
  void append(const Samples& from, int64_t row);
  /// Puts row `row` of `from` into `slot`, which may be size(). Of what a budget in bytes then has no room
  /// for, `random` says who goes: true when others went, and slots have changed. A row that alone is larger
  /// than the budget is left out. `from` may not be this memory's own samples().
  bool put(int64_t slot, const Samples& from, int64_t row, Random random);

  /// The state shares the tensors: encode it before the memory changes.
  void save(State& state, const std::string& prefix) const;
  void load(const State& state, const std::string& prefix);

 private:
  bool fits(int64_t more_rows, int64_t more_bytes) const;

  MemoryBudget budget_;
  RowStore rows_;
  std::vector<float> scores_;
};

}  // namespace perennial
