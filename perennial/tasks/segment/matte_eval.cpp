#include "perennial/tasks/segment/matte_eval.h"

#include <stdexcept>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <fmt/format.h>

#include "edge/engine.h"
#include "edge/image.h"
#include "perennial/base/progress.h"
#include "perennial/data/augment.h"
#include "perennial/tasks/segment/matte_source.h"

namespace perennial {

at::Tensor predict_mattes(Sinet& net, const at::Tensor& images, const SinetStatistics& statistics) {
  const at::NoGradGuard no_grad;
  const at::Tensor logits = net.forward(sinet_preprocess(images, statistics), false).logits;
  const int64_t last = logits.size(1) - 1;
  const at::Tensor wins = last == 0 ? logits.select(1, 0).gt(0) : logits.argmax(1).eq(last);
  return wins.to(at::kByte);
}

at::Tensor predict_mattes(edge::Engine& engine, const at::Tensor& images) {
  const edge::PortRecord& port = engine.model().port(false, 0);
  const edge::TensorRecord &in = engine.model().tensors()[port.tensor],
                           &out = engine.model().tensors()[engine.model().port(true, 0).tensor];
  const int64_t height = images.size(2), width = images.size(3);
  if (port.divisor == 0 || in.height != height || in.width != width || out.height != height ||
      out.width != width)
    throw std::invalid_argument(fmt::format("the model takes no images of {} x {}", height, width));
  const at::Tensor pixels = images.permute({0, 2, 3, 1}).contiguous();
  at::Tensor mattes = at::empty({images.size(0), height, width}, at::kByte);
  edge::Resizer resizer;
  for (int64_t n = 0; n < images.size(0); ++n) {
    const auto w = static_cast<int32_t>(width), h = static_cast<int32_t>(height);
    resizer.to_planes({pixels[n].const_data_ptr<uint8_t>(), w, h, static_cast<size_t>(3 * width), 3}, port, w,
                      h, engine.input(0).data());
    engine.run();
    const auto logits = engine.output(0);
    const auto scores =
        at::from_blob(const_cast<float*>(logits.data()), {out.channels, height, width}, at::kFloat);
    const int64_t last = out.channels - 1;
    mattes[n].copy_(last == 0 ? scores[0].gt(0) : scores.argmax(0).eq(last));
  }
  return mattes;
}

namespace {

template <class Predict>
SegmentationScores measure(const std::vector<Matte>& mattes, int64_t side, Progress& progress,
                           Predict predict) {
  constexpr size_t kBatch = 8;
  SegmentationMetrics metrics;
  const ProgressPart part(progress, "measuring mattes", static_cast<int64_t>(mattes.size()));
  for (size_t first = 0; first < mattes.size(); first += kBatch) {
    if (progress.stop_requested()) throw Interrupted{};
    const size_t last = std::min(first + kBatch, mattes.size());
    std::vector<const Matte*> some;
    for (size_t i = first; i < last; ++i) some.push_back(&mattes[i]);
    const Samples batch = augment(photographs(some), {.side = side}, 0, 0);
    metrics.add(predict(batch.tensor(column::kImage)), batch.tensor(column::kMask));
    progress.advance(static_cast<int64_t>(last - first));
  }
  return metrics.scores();
}

}  // namespace

SegmentationScores evaluate_mattes(Sinet& net, const std::vector<Matte>& mattes, Progress& progress,
                                   const SinetStatistics& statistics) {
  const SinetOptions& options = net.options();
  if (options.variant == "cityscapes" || options.height != options.width)
    throw std::invalid_argument("mattes are measured with a portrait network of square input");
  return measure(mattes, options.height, progress,
                 [&](const at::Tensor& images) { return predict_mattes(net, images, statistics); });
}

SegmentationScores evaluate_mattes(edge::Engine& engine, const std::vector<Matte>& mattes,
                                   Progress& progress) {
  const auto& in = engine.model().tensors()[engine.model().port(false, 0).tensor];
  return measure(mattes, in.height, progress,
                 [&](const at::Tensor& images) { return predict_mattes(engine, images); });
}

SegmentationScores evaluate_mattes(MatteRunner& runner, const std::vector<Matte>& mattes,
                                   Progress& progress) {
  SegmentationMetrics metrics;
  const ProgressPart part(progress, "measuring mattes", static_cast<int64_t>(mattes.size()));
  for (const Matte& matte : mattes) {
    if (progress.stop_requested()) throw Interrupted{};
    runner.forget();
    const auto& alpha = runner.matte(frame_of(matte.image));
    const auto plane = [&](const std::vector<uint8_t>& bytes) {
      return at::from_blob(const_cast<uint8_t*>(bytes.data()), {1, matte.image.height, matte.image.width},
                           at::kByte);
    };
    metrics.add(plane(alpha).gt(127).to(at::kByte), plane(matte.mask));
    progress.advance(1);
  }
  return metrics.scores();
}

}  // namespace perennial
