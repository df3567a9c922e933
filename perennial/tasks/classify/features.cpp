#include "perennial/tasks/classify/features.h"

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

constexpr int64_t kRows = 64;

uint64_t hash_of(const ClassifyConfig& config, const ModelOptions& model, const Dataset& set,
                 const Normalisation& n) {
  std::vector<int64_t> sizes = set.input_shape();
  sizes.insert(sizes.begin(), set.size());
  std::string what = fmt::format("features-1 {} {} {} {}", model.name, model.width, config.compute.dtype,
                                 fmt::join(sizes, "x"));
  for (const double v : n.mean) what += fmt::format(" {}", v);
  for (const double v : n.std) what += fmt::format(" {}", v);
  uint64_t hash = hash64(what, model.weights.empty() ? config.seed() : 0);
  if (!model.weights.empty()) hash = hash64(MappedFile(weights_file(model.weights)).bytes(), hash);
  return set.hash(hash);
}

at::Tensor compute(Classifier& net, const Dataset& set, Progress& progress) {
  std::vector<at::Tensor> parts;
  for (int64_t begin = 0; begin < set.size(); begin += kRows) {
    if (progress.stop_requested()) throw Interrupted{};
    const int64_t count = std::min(kRows, set.size() - begin);
    parts.push_back(net.features(set.unlabelled(begin, count), kRows));
    progress.advance(count);
  }
  return at::cat(parts);
}

at::Tensor cached(const ClassifyConfig& config, const ModelOptions& model, Classifier& net,
                  const Dataset& set, Progress& progress) {
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
  at::Tensor features = compute(net, set, progress);
  try {
    make_folder(file.parent_path());
    write_safetensors(file, {{{"features", features}}, {}});
  } catch (const Error& e) {
    log_warning(fmt::format("{}; going on without the cache", e.what()));
  }
  return features;
}

}  // namespace

void replace_by_features(const ClassifyConfig& config, const ModelOptions& model,
                         const Normalisation& normalisation, DataSource& source, Progress& progress) {
  ModelOptions frozen = model;
  frozen.neck = 0;
  Classifier net(frozen, HeadKind::kLinear,
                 (source.train.size() > 0 ? source.train : source.test).input_shape(), normalisation,
                 config.compute, config.seed());
  const ProgressPart part(progress, "features", source.train.size() + source.test.size());
  for (Dataset* set : {&source.train, &source.test})
    if (set->size() > 0) {
      set->inputs = cached(config, model, net, *set, progress);
      set->input = column::kFeature;
      set->side = 0;
      set->files = nullptr;
    }
}

}  // namespace perennial
