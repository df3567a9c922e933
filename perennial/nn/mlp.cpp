#include <stdexcept>

#include "perennial/nn/backbones.h"
#include "perennial/nn/layers.h"

namespace perennial {
namespace {

class Mlp final : public Backbone {
 public:
  Mlp(int64_t inputs, int64_t hidden, uint64_t seed)
      : inputs_(inputs),
        hidden_(hidden),
        first_(layer(seed, "1", inputs)),
        second_(layer(seed, "2", hidden)) {}

  std::vector<std::string> stages() const override { return {"fc1", "fc2"}; }
  at::Tensor run_stage(size_t i, at::Tensor x, bool training) override {
    return i == 0 ? first_.forward(flattened(x), training) : second_.forward(x, training);
  }
  int64_t feature_size() const override { return hidden_; }

 private:
  at::Tensor flattened(const at::Tensor& x) const {
    // Flattened as channels, height, width, whatever the strides: saved weights mean the same everywhere.
    const at::Tensor flat = x.contiguous().flatten(1);
    if (flat.size(1) != inputs_)
      throw std::invalid_argument("this mlp400 was made for inputs of " + std::to_string(inputs_) +
                                  " values, not " + std::to_string(flat.size(1)));
    return flat;
  }
  LinearNorm layer(uint64_t seed, const std::string& number, int64_t in) {
    const Scope root{tensors_, seed};
    return {root / ("fc" + number), root / ("bn" + number), in, hidden_,
            NormOptions{1e-6},      Activation::kRelu};
  }
  int64_t inputs_, hidden_;
  LinearNorm first_, second_;
};

}  // namespace

std::unique_ptr<Backbone> make_mlp400(int64_t inputs, double width, uint64_t seed) {
  return std::make_unique<Mlp>(inputs, scaled_width(400, width), seed);
}

}  // namespace perennial
