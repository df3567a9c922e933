#pragma once

#include <string>
#include <vector>

#include "perennial/memory/policy.h"

namespace perennial {

/// Rainbow Memory's diversity-aware choice within one class (Bang, Kim, Yoo, Ha, Choi: "Rainbow Memory:
/// Continual Learning with a Memory of Diverse Samples", CVPR 2021, section 4.2 and algorithm 1): candidates
/// sorted by uncertainty, `quota` of them taken at equal strides from the most certain to the most uncertain.
///
/// stride "spread" takes index floor(i n / k), which always spans the list. "floor", as released, takes every
/// floor(n/k)-th from index 0; for k < n < 2k that is the k most certain ones and no diversity at all.
/// "value" takes equal strides of the uncertainty's value instead of its rank, each time the nearest
/// candidate that is left: where most candidates are certain it keeps more of the few that are not.
///
/// Most uncertainties are equal (votes of 12 views give 12 values), so the order of ties matters:
/// `tie_break(row)` decides it. `uncertainty` is indexed by row.
std::vector<int64_t> rainbow_choose(std::vector<int64_t> rows, int64_t quota,
                                    const std::vector<float>& uncertainty,
                                    const std::function<uint64_t(int64_t)>& tie_break,
                                    const std::string& stride);

/// Variation ratio u = 1 - max_c S_c / A from the votes of A views (equation 3). votes: [N][classes] counts.
std::vector<float> variation_ratio(const at::Tensor& votes, int64_t views);

/// One less the mean probability of the sample's own label over its views. logits: float [A, N, classes];
/// rows: int64 [N]. Ours: finer than votes, and high for a label that the model does not believe.
std::vector<float> lack_of_confidence(const at::Tensor& logits, const at::Tensor& rows);

}  // namespace perennial
