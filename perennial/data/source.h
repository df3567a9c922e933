#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "perennial/data/samples.h"

namespace perennial {

/// Where samples come from: rows that lie in memory, are mapped, or are decoded as they are asked for. Does
/// not change while it is read, by any number of threads. A pool is a source whose samples have no targets.
class Source {
 public:
  virtual ~Source() = default;

  /// Of each row; the same sample has the same id in every run.
  virtual const std::vector<int64_t>& sample_ids() const = 0;
  int64_t size() const { return std::ssize(sample_ids()); }
  /// The named rows, in that order, as the source's columns. Throws std::invalid_argument for a row that is
  /// not there, Error for one that cannot be read.
  virtual Samples get(std::span<const int64_t> rows) const = 0;
  /// That these rows will be asked for soon, and no others before: those decoded on demand are got ready.
  virtual void expect(std::span<const int64_t> /*rows*/) const {}
  /// Of what get() would give, begun with `seed`: another hash, other samples.
  virtual uint64_t hash(uint64_t seed) const = 0;
};

}  // namespace perennial
