#pragma once

#include <vector>

#include "perennial/data/source.h"
#include "perennial/tasks/segment/matte_data.h"

namespace perennial {

/// Photographs of any size with their masks, in memory: columns "photograph" (ragged, uint8 values of RGB
/// planes), "matte" (ragged, uint8 0 and 1) and "size" (int64 [N, 2], height and width).
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

/// Such rows, or rows of a memory (columns image and mask, all of one size), as mattes. Throws
/// std::invalid_argument for samples of another form.
std::vector<Matte> mattes_of(const Samples& samples);

}  // namespace perennial
