#include "perennial/tasks/classify/predict.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <span>

#include <ATen/ops/empty.h>

#include "perennial/base/threads.h"
#include "perennial/io/image.h"

namespace perennial {
namespace {

constexpr int64_t kBatch = 64;

/// The files of a batch that could be decoded.
struct ReadBatch {
  std::vector<const std::filesystem::path*> files;
  at::Tensor images;

  Samples samples() const { return {std::vector<int64_t>(files.size()), {{column::kImage, images}}}; }
};

ReadBatch read_batch(std::span<const std::filesystem::path> files, const std::vector<int64_t>& shape,
                     bool stretch, std::vector<Error>& bad) {
  const auto count = static_cast<int64_t>(files.size()), bytes = shape[0] * shape[1] * shape[2];
  ReadBatch batch{{}, at::empty({count, shape[0], shape[1], shape[2]}, at::kByte)};
  auto* out = batch.images.mutable_data_ptr<uint8_t>();
  std::vector<std::optional<Error>> errors(files.size());
  parallel_for(count, 1, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) try {
        const Image square = resize_to_square(read_image(files[i]), shape[1], stretch);
        std::copy_n(with_channels(square, shape[0]).pixels.begin(), bytes, out + i * bytes);
      } catch (const Error& error) {
        errors[static_cast<size_t>(i)].emplace(error);
      }
  });
  for (int64_t i = 0; i < count; ++i) {
    if (const auto& error = errors[static_cast<size_t>(i)]) {
      bad.push_back(*error);
      continue;
    }
    std::copy_n(out + i * bytes, bytes, out + std::ssize(batch.files) * bytes);
    batch.files.push_back(&files[i]);
  }
  batch.images = batch.images.narrow(0, 0, std::ssize(batch.files));
  return batch;
}

/// The most probable classes of a row of probabilities.
Prediction best_classes(const std::vector<std::string>& names, const std::filesystem::path& file,
                        const float* row, int64_t columns, int64_t top) {
  std::vector<int64_t> order(std::min<int64_t>(columns, std::ssize(names)));
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return row[a] > row[b]; });
  Prediction one{file.string(), {}};
  for (int64_t k = 0; k < std::min<int64_t>(top, std::ssize(order)); ++k)
    one.classes.emplace_back(names[order[k]], row[order[k]]);
  return one;
}

}  // namespace

Predictions predict_files(const ClassifyRecipe& recipe, const Learner& learner,
                          const std::vector<std::filesystem::path>& files, int64_t top, Progress& progress) {
  Predictions out;
  const ProgressPart part(progress, "predicting", static_cast<int64_t>(files.size()));
  for (size_t begin = 0; begin < files.size(); begin += kBatch) {
    if (progress.stop_requested()) throw Interrupted{};
    const auto some = std::span(files).subspan(begin, std::min<size_t>(kBatch, files.size() - begin));
    const ReadBatch batch = read_batch(some, recipe.image_shape(), recipe.config().data.stretch, out.bad);
    if (!batch.files.empty()) {
      const at::Tensor p = learner.predict(batch.samples()).contiguous();
      for (int64_t i = 0; i < std::ssize(batch.files); ++i)
        out.made.push_back(best_classes(recipe.class_names(), *batch.files[i],
                                        p.const_data_ptr<float>() + i * p.size(1), p.size(1), top));
    }
    progress.advance(std::ssize(some));
  }
  return out;
}

}  // namespace perennial
