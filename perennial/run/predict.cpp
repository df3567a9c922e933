#include "perennial/run/predict.h"

#include <algorithm>
#include <numeric>

#include <ATen/ops/empty.h>

#include "perennial/base/error.h"
#include "perennial/base/threads.h"
#include "perennial/io/image.h"

namespace perennial {
namespace {

constexpr int64_t kBatch = 64;

at::Tensor read_images(const std::vector<std::filesystem::path>& files, size_t begin, int64_t count,
                       const std::vector<int64_t>& shape, bool stretch) {
  at::Tensor images = at::empty({count, shape[0], shape[1], shape[2]}, at::kByte);
  auto* out = images.mutable_data_ptr<uint8_t>();
  const int64_t bytes = shape[0] * shape[1] * shape[2];
  parallel_for(count, 1, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) {
      const Image image = with_channels(
          resize_to_square(read_image(files[begin + static_cast<size_t>(i)]), shape[1], stretch), shape[0]);
      std::copy_n(image.pixels.begin(), bytes, out + i * bytes);
    }
  });
  return images;
}

}  // namespace

std::vector<std::filesystem::path> find_images(const std::vector<std::filesystem::path>& paths) {
  std::vector<std::filesystem::path> files;
  for (const auto& path : paths) {
    if (!std::filesystem::exists(path))
      throw Error({"looking for images", path.string(), "a file or a folder", "nothing"});
    if (!std::filesystem::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    const size_t before = files.size();
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
      if (entry.is_regular_file() && is_image_name(entry.path())) files.push_back(entry.path());
    if (files.size() == before)
      throw Error({"looking for images", path.string(), ".jpg or .png files in the folder", "none"});
    std::sort(files.begin() + static_cast<int64_t>(before), files.end());
  }
  return files;
}

std::vector<Prediction> predict_files(Run& run, const std::vector<std::filesystem::path>& files, int64_t top,
                                      Progress& progress) {
  std::vector<Prediction> out;
  const ProgressPart part(progress, "predicting", static_cast<int64_t>(files.size()));
  for (size_t begin = 0; begin < files.size(); begin += kBatch) {
    if (progress.stop_requested()) throw Interrupted{};
    const auto count = static_cast<int64_t>(std::min<size_t>(kBatch, files.size() - begin));
    const at::Tensor p =
        run.learner()
            .predict(read_images(files, begin, count, run.image_shape(), run.config().data.stretch))
            .contiguous();
    for (int64_t i = 0; i < count; ++i) {
      const float* row = p.const_data_ptr<float>() + i * p.size(1);
      std::vector<int64_t> order(
          std::min<int64_t>(p.size(1), static_cast<int64_t>(run.class_names().size())));
      std::iota(order.begin(), order.end(), int64_t{0});
      std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return row[a] > row[b]; });
      Prediction one{files[begin + static_cast<size_t>(i)].string(), {}};
      for (int64_t k = 0; k < std::min<int64_t>(top, static_cast<int64_t>(order.size())); ++k)
        one.classes.emplace_back(run.class_names()[order[k]], row[order[k]]);
      out.push_back(std::move(one));
    }
    progress.advance(count);
  }
  return out;
}

}  // namespace perennial
