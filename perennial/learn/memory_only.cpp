#include "perennial/learn/memory_only.h"

#include <algorithm>
#include <cmath>

namespace perennial {

int64_t MemoryOnly::wanted(const ReplayKit& kit) const {
  const TrainOptions& train = kit.trainer.options();
  const double own = static_cast<double>(train.batch) * (1 - train.replay_share);
  return std::max<int64_t>(1, static_cast<int64_t>(std::ceil(own)));
}

void MemoryOnly::observe(ReplayKit& kit, const Samples& batch) {
  receive(kit, batch);
  kit.clock.timed("memory training", [&] {
    for (int64_t i = 0; i < kit.trainer.options().updates; ++i) {
      const Samples drawn = kit.rehearsal.draw(kit.trainer.options().batch);
      if (drawn.size() < 2) break;
      const double lr = rate(kit);
      kit.trainer.step(drawn, lr);
      kit.robust_follows(drawn, lr);
      stepped(kit, drawn);
    }
  });
}

}  // namespace perennial
