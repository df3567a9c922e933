#include <algorithm>

#include <ATen/core/Tensor.h>

#include "perennial/memory/admission.h"
#include "perennial/memory/policies.h"

namespace perennial {

void CropLossPolicy::offer(Memory& memory, const Samples& batch, const AskEvidence& ask) {
  const int64_t all = memory.size() + batch.size(), capacity = memory.capacity(batch);
  const auto position = static_cast<uint64_t>(++seen_);
  std::vector<char> stays(static_cast<size_t>(all), 1);
  if (all > capacity) {
    const Samples candidates = concat(memory.samples(), batch);
    const at::Tensor losses = ask(candidates)->crop_losses().contiguous();
    const float* loss = losses.const_data_ptr<float>();
    stays = shrink_largest(candidates.labels(), capacity, Random(seed_, "ntd", position),
                           [&](int64_t, const std::vector<int64_t>& rows) {
                             const auto worst =
                                 std::max_element(rows.begin(), rows.end(),
                                                  [&](int64_t a, int64_t b) { return loss[a] < loss[b]; });
                             return static_cast<size_t>(worst - rows.begin());
                           });
  }
  admit(memory, batch, stays, Random(seed_, "memory room", position));
}

}  // namespace perennial
