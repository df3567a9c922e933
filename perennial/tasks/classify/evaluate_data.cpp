#include "perennial/tasks/classify/evaluate_data.h"

#include <algorithm>

#include <fmt/format.h>

#include "perennial/base/error.h"
#include "perennial/nn/classifier.h"
#include "perennial/nn/device.h"

namespace perennial {
namespace {

constexpr int64_t kBatch = 512;

// Predictions of a plain classifier whose rows are the labels.
class FixedClassifier : public Predictor {
 public:
  explicit FixedClassifier(const Classifier& net) : net_(net) {}
  at::Tensor predict(const Samples& samples) const override { return net_.logits(samples); }

 private:
  const Classifier& net_;
};

DataEvaluation summarise(const Evaluation& e, const std::vector<std::string>& names, size_t known) {
  DataEvaluation out;
  out.accuracy = e.accuracy();
  out.images = e.images();
  for (size_t c = 0; c < names.size(); ++c) {
    if (e.total[c] == 0) continue;
    out.per_class[names[c]] = e.class_accuracy(static_cast<int64_t>(c));
    if (c >= known) out.unknown_classes.push_back(names[c]);
  }
  return out;
}

void require_test(const DataSource& source, const std::string& name) {
  if (source.test.size() == 0) throw Error({"evaluating", name, "a test part", "none"});
}

void require_known(const DataEvaluation& e, const std::vector<std::string>& known, const std::string& name) {
  if (e.unknown_classes.size() == e.per_class.size())
    throw Error({"evaluating", name, fmt::format("classes of the model ({})", fmt::join(known, ", ")),
                 fmt::format("only others ({})", fmt::join(e.unknown_classes, ", "))});
}

}  // namespace

nlohmann::json DataEvaluation::to_json() const {
  return {{"accuracy", accuracy},
          {"images", images},
          {"per_class", per_class},
          {"unknown_classes", unknown_classes}};
}

DataEvaluation evaluate_learner(const ClassifyRecipe& recipe, const Learner& learner, DataOptions data,
                                Progress& progress) {
  if (data.size == 0) data.size = recipe.image_shape()[1];
  data.stretch = recipe.config().data.stretch;
  DataSource source = load_data(data, progress);
  require_test(source, data.source);
  set_channels(source.test, recipe.image_shape()[0]);
  std::vector<std::string> names = recipe.class_names();
  const size_t known = names.size();
  for (int64_t& label : source.test.labels) {
    const std::string& name = source.test.class_names[label];
    label = std::find(names.begin(), names.end(), name) - names.begin();
    if (label == static_cast<int64_t>(names.size())) names.push_back(name);
  }
  const ProgressPart part(progress, "evaluating", source.test.size());
  const Evaluation e = evaluate(learner, source.test, static_cast<int64_t>(names.size()),
                                recipe.config().eval_batch, progress);
  DataEvaluation out = summarise(e, names, known);
  require_known(out, recipe.class_names(), data.source);
  return out;
}

DataEvaluation evaluate_weights(const ClassifyConfig& config, Progress& progress) {
  use_threads(config.run.threads);
  const ModelOptions& model = config.model;
  DataOptions data = config.data;
  if (data.size == 0) data.size = preferred_image_size(model.name);
  const DataSource source = load_data(data, progress);
  require_test(source, data.source);
  const auto classes = static_cast<int64_t>(source.test.class_names.size());
  Classifier net(model, HeadKind::kLinear, source.test.input_shape(), source.test.normalisation,
                 config.compute, 1);
  net.grow(classes);
  if (!net.load_pretrained_head())
    throw Error({"loading weights", model.weights,
                 fmt::format("a head for {} classes (linear.weight, linear.bias)", classes),
                 "none that fits"});
  FixedClassifier fixed(net);
  const ProgressPart part(progress, "evaluating", source.test.size());
  const Evaluation e = evaluate(fixed, source.test, classes, kBatch, progress);
  return summarise(e, source.test.class_names, source.test.class_names.size());
}

}  // namespace perennial
