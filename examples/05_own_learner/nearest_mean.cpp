// A learner of one's own, written from the interface up, and a run with it: docs/own_learner.md explains it.
// usage: example_05_nearest_mean [FOLDER]
#include <cstdio>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cdist.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include "perennial/base/options.h"
#include "perennial/run/run.h"
#include "perennial/tasks/classify/classify_recipe.h"

using namespace perennial;

namespace {

struct NearestMeanOptions : MethodOptions {
  double sharpness = 1.0;
  void bind(OptionTable& table) override {
    table.add("nearest-mean.sharpness", sharpness, "how fast probability falls with distance")
        .range(0.01, 100);
  }
};

/// The class whose mean image is nearest: forgets nothing, and knows nothing but means.
class NearestMean : public Learner {
 public:
  NearestMean(const LearnerSetup& setup, const NearestMeanOptions& options)
      : sharpness_(options.sharpness),
        sums_(at::zeros({setup.labels, c10::multiply_integers(setup.input_shape)})),
        counts_(at::zeros({setup.labels, 1})) {}

  int64_t wanted() const override { return 64; }
  void observe(const Samples& batch) override {
    for (const int64_t label : batch.labels()) make_room(label + 1);
    const at::Tensor& labels = batch.tensor(column::kLabel);
    sums_.index_add_(0, labels, pixels(batch));
    counts_.index_add_(0, labels, at::ones({batch.size(), 1}));
  }
  bool consolidate(Progress&) override { return false; }  // nothing is due at the end of a task
  int64_t pieces() const override { return 0; }
  std::string piece_name(int64_t) const override { return ""; }

  at::Tensor predict(const Samples& samples) const override {
    const at::Tensor distance = at::cdist(pixels(samples), means()).masked_fill(counts_.t() == 0, 1e9);
    return at::softmax(distance * -sharpness_, 1);
  }
  std::shared_ptr<const Predictor> snapshot() const override {
    auto copy = std::make_shared<NearestMean>(*this);
    copy->sums_ = sums_.clone(), copy->counts_ = counts_.clone();  // ours change in place
    return copy;
  }
  void save(State& state, const std::string& prefix) const override {
    state.tensors[prefix + "sums"] = sums_;
    state.tensors[prefix + "counts"] = counts_;
  }
  void load(const State& state, const std::string& prefix) override {
    sums_ = state.tensor(prefix + "sums");
    counts_ = state.tensor(prefix + "counts");
  }
  TensorFile model() const override { return {{{"means", means()}}, {}}; }

 private:
  static at::Tensor pixels(const Samples& samples) {
    return samples.tensor(column::kImage).flatten(1).to(at::kFloat) / 255;
  }
  at::Tensor means() const { return sums_ / counts_.clamp_min(1); }
  void make_room(int64_t labels) {  // an update may bring new classes
    const int64_t more = labels - counts_.size(0);
    if (more <= 0) return;
    sums_ = at::cat({sums_, at::zeros({more, sums_.size(1)})});
    counts_ = at::cat({counts_, at::zeros({more, 1})});
  }
  double sharpness_;
  at::Tensor sums_, counts_;
};

}  // namespace

int main(int argc, char** argv) {
  register_method(method<NearestMeanOptions, NearestMean>("nearest-mean", "Nearest mean", "an example",
                                                          "the class whose mean image is nearest"));
  const std::filesystem::path folder = argc > 1 ? argv[1] : "out/05_nearest_mean";
  std::filesystem::remove_all(folder);
  Progress silent;
  const Settings settings{{"learner", "nearest-mean"}, {"data.classes", "0,1,2,3,4,5"}, {"tasks", "3"}};
  auto run = Run::create(classify(settings), folder, silent);
  run->execute();
  const double six = run->metrics_json()["a_last"];
  run = nullptr;
  run = Run::open(folder, {}, silent);  // from the folder, as `perennial update` does
  run->begin_update({{"data", "digits"}, {"data.classes", "6,7,8,9"}});
  run->execute();
  const double ten = run->metrics_json()["a_last"];
  std::printf("six digits %.1f %%, then all ten %.1f %%\n", 100 * six, 100 * ten);
  return six > 0.85 && ten > 0.85 ? 0 : 1;
}
