#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "perennial/base/random.h"

namespace perennial {

struct Clusters {
  at::Tensor centres;       ///< float [k, D]
  std::vector<int64_t> of;  ///< of each row, its cluster

  /// The rows of each cluster.
  std::vector<std::vector<int64_t>> members() const;
};

/// k-means (Lloyd) over rows, float [N, D], from centres drawn by k-means++ (Arthur and Vassilvitskii 2007)
/// among at most 16 k + 1024 of them; ends when nothing moves, after at most `rounds`. A cluster that lost
/// all its rows stays where it was. k is at most N.
Clusters kmeans(const at::Tensor& rows, int64_t k, Random random, int64_t rounds = 50);

}  // namespace perennial
