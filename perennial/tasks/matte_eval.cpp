#include "perennial/tasks/matte_eval.h"

#include <stdexcept>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>

#include "perennial/base/progress.h"

namespace perennial {

at::Tensor predict_mattes(Sinet& net, const at::Tensor& images, const SinetStatistics& statistics) {
  const at::NoGradGuard no_grad;
  const at::Tensor logits = net.forward(sinet_preprocess(images, statistics), false).logits;
  const int64_t last = logits.size(1) - 1;
  const at::Tensor wins = last == 0 ? logits.select(1, 0).gt(0) : logits.argmax(1).eq(last);
  return wins.to(at::kByte);
}

SegmentationScores evaluate_mattes(Sinet& net, const std::vector<Matte>& mattes, Progress& progress,
                                   const SinetStatistics& statistics) {
  constexpr size_t kBatch = 8;
  const SinetOptions& options = net.options();
  if (options.variant != "portrait" || options.height != options.width)
    throw std::invalid_argument("mattes are measured with a portrait network of square input");
  SegmentationMetrics metrics;
  const ProgressPart part(progress, "measuring mattes", static_cast<int64_t>(mattes.size()));
  for (size_t first = 0; first < mattes.size(); first += kBatch) {
    if (progress.stop_requested()) throw Interrupted{};
    const size_t last = std::min(first + kBatch, mattes.size());
    const MatteBatch batch = matte_batch(mattes, first, last, options.height);
    metrics.add(predict_mattes(net, batch.images, statistics), batch.masks);
    progress.advance(static_cast<int64_t>(last - first));
  }
  return metrics.scores();
}

}  // namespace perennial
