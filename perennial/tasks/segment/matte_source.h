#pragma once

#include <vector>

#include "perennial/data/source.h"
#include "perennial/tasks/segment/matte_data.h"

namespace perennial {

/// RGB photographs of any size and their masks (0 and 1), a row each: column::kPhotograph and its fellows.
Samples photographs(const std::vector<const Matte*>& mattes);

/// Such samples, in memory.
class MatteSource : public Source {
 public:
  explicit MatteSource(std::vector<Matte> mattes);

  const std::vector<int64_t>& sample_ids() const override { return ids_; }
  Samples get(std::span<const int64_t> rows) const override;
  uint64_t hash(uint64_t seed) const override;
  const std::vector<Matte>& mattes() const { return mattes_; }

 private:
  std::vector<Matte> mattes_;
  std::vector<int64_t> ids_;
};

}  // namespace perennial
