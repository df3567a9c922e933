#include "perennial/run/features.h"

#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/log.h"
#include "perennial/base/random.h"
#include "perennial/io/weights.h"
#include "perennial/nn/classifier.h"

namespace perennial {
namespace {

constexpr int64_t kChunk = 64;

std::string_view raw(const at::Tensor& t) {
  return {static_cast<const char*>(t.const_data_ptr()), static_cast<size_t>(t.nbytes())};
}

uint64_t hash_of(const RunConfig& config, const ModelOptions& model, const Dataset& set,
                 const Normalisation& n) {
  std::string what = fmt::format("features-1 {} {} {} {}", model.name, model.width, config.compute.dtype,
                                 fmt::join(set.inputs.sizes(), "x"));
  for (const double v : n.mean) what += fmt::format(" {}", v);
  for (const double v : n.std) what += fmt::format(" {}", v);
  uint64_t hash = hash64(what, model.weights.empty() ? static_cast<uint64_t>(config.seed) : 0);
  if (!model.weights.empty()) hash = hash64(MappedFile(weights_file(model.weights)).bytes(), hash);
  return hash64(raw(set.inputs), hash);
}

at::Tensor compute(Classifier& net, const at::Tensor& images, Progress& progress) {
  std::vector<at::Tensor> parts;
  for (int64_t begin = 0; begin < images.size(0); begin += kChunk) {
    if (progress.stop_requested()) throw Interrupted{};
    const int64_t count = std::min(kChunk, images.size(0) - begin);
    parts.push_back(net.features(images.narrow(0, begin, count), kChunk));
    progress.advance(count);
  }
  return at::cat(parts);
}

at::Tensor cached(const RunConfig& config, const ModelOptions& model, Classifier& net, const Dataset& set,
                  Progress& progress) {
  const auto file = cache_folder() / "features" /
                    fmt::format("{:016x}.safetensors", hash_of(config, model, set, net.normalisation()));
  if (std::filesystem::exists(file)) {
    try {
      at::Tensor features = read_safetensors(file).tensors.at("features");
      if (features.dim() == 2 && features.size(0) == set.size()) return features;
    } catch (const std::exception& e) {
      log_warning(fmt::format("{}; computing the features again", e.what()));
    }
  }
  at::Tensor features = compute(net, set.inputs, progress);
  try {
    make_folder(file.parent_path());
    write_safetensors(file, {{{"features", features}}, {}});
  } catch (const Error& e) {
    log_warning(fmt::format("{}; going on without the cache", e.what()));
  }
  return features;
}

}  // namespace

void replace_by_features(const RunConfig& config, const ModelOptions& model, DataSource& source,
                         Progress& progress) {
  const auto shape = source.train.size() > 0 ? source.train.inputs.sizes() : source.test.inputs.sizes();
  Classifier net(model, HeadKind::kLinear, shape.slice(1), source.train.normalisation, config.compute,
                 static_cast<uint64_t>(config.seed));
  const ProgressPart part(progress, "features", source.train.size() + source.test.size());
  for (Dataset* set : {&source.train, &source.test})
    if (set->size() > 0) {
      set->inputs = cached(config, model, net, *set, progress);
      set->input = column::kFeature;
    }
}

}  // namespace perennial
