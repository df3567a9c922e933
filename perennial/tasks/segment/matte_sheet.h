#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "perennial/io/image.h"
#include "perennial/io/state.h"

namespace perennial {

/// Photographs with their mattes, for people: in a row the photograph, then cut out over one colour by the
/// true mask, by the model before training and by the model now.
class MatteSheet {
 public:
  static constexpr int64_t kTile = 112, kColumns = 4;

  /// images uint8 [N, 3, side, side]; masks uint8 [N, side, side].
  void begin(const at::Tensor& images, const at::Tensor& truth, const at::Tensor& before);
  void now(const at::Tensor& mattes);
  bool empty() const { return !images_.defined(); }
  int64_t rows() const { return empty() ? 0 : images_.size(0); }
  Image picture() const;

  void save(State& state, const std::string& prefix) const;
  void load(const State& state, const std::string& prefix);

 private:
  at::Tensor images_, truth_, before_, now_;  // of side kTile
};

}  // namespace perennial
