#pragma once

#include "perennial/base/random.h"
#include "perennial/memory/evidence.h"
#include "perennial/query/strategy.h"

namespace perennial {

/// BADGE (Ash, Zhang, Krishnamurthy, Langford, Agarwal, ICLR 2020): k-means++ over the gradients of the last
/// layer at the label that the network believes in. First the longest gradient, then each with a probability
/// that grows with its squared distance to the nearest one chosen; one sample never twice. The [N, classes x
/// D] gradients are never made: a distance is |q_i|^2 |h_i|^2 + |q_j|^2 |h_j|^2 - 2 <q_i, q_j> <h_i, h_j>,
/// O(N (classes + D)) a pick.
Ranked kmeans_plus_plus(const FactorisedGradients& gradients, int64_t count, Random random);

}  // namespace perennial
