#pragma once

#include <optional>
#include <string>

#include "perennial/io/state.h"
#include "perennial/learn/targets.h"
#include "perennial/nn/classifier.h"

namespace perennial {

class Memory;

/// A training step when its loss is made.
class StepView {
 public:
  StepView(const Samples& samples, const NetworkInput& fed, const Targets& towards, const Outputs& out,
           Classifier& network, int64_t step)
      : batch(samples), inputs(fed), targets(towards), outputs(out), net(network), number(step) {}

  const Samples& batch;        ///< as it was given, with all its columns; not augmented
  const NetworkInput& inputs;  ///< what the network was fed: augmented and mixed
  const Targets& targets;      ///< CutMix included
  const Outputs& outputs;      ///< features and logits of the inputs, with gradients
  Classifier& net;
  int64_t number;  ///< steps taken before, over the learner's life

  /// Cross-entropy of each sample to its target, float32 [N], with gradients; made when first asked for.
  const at::Tensor& losses() const {
    if (!losses_.defined()) losses_ = targets.losses(outputs.logits);
    return losses_;
  }

 private:
  mutable at::Tensor losses_;
};

/// Something added to the loss of every step: a penalty on weights (EWC), a distance to stored logits (DER).
class LossTerm {
 public:
  virtual ~LossTerm() = default;
  /// A scalar with gradients; undefined: nothing this time.
  virtual at::Tensor of(const StepView& step) = 0;
  /// The gradients of the step are in place, and the optimiser is about to follow them.
  virtual void see_gradients(Classifier& /*net*/) {}
  /// Under the learner's own prefix: names are to be the term's own ("fisher.0").
  virtual void save(State&, const std::string& /*prefix*/) const {}
  virtual void load(const State&, const std::string& /*prefix*/, Classifier& /*net*/) {}
};

/// Where a feature map is that a plug-in sees.
struct Passage {
  const Stage& stage;    ///< which it has just left, and the backbone, to look at what later ones make of it
  const Samples& batch;  ///< whose maps they are, row by row
  int64_t step;          ///< the position of random numbers drawn for them
  uint64_t seed;
};

/// What a plug-in may look at between steps.
struct Surroundings {
  Classifier& net;
  const LabelMap& labels;
  const Memory* memory;  ///< null where there is none
  const Samples& batch;  ///< of the step just taken
  int64_t step;          ///< its number
};

/// A part that can be wrapped around any learner that trains a network: it may change feature maps on their
/// way through the backbone in training, and look on after each step (DropTop). Predictions, evidence and
/// selections are made without it. Where the backbone is frozen there are no maps to see.
class Plugin {
 public:
  virtual ~Plugin() = default;
  /// Its state is saved under this; two of one name are a std::invalid_argument.
  virtual std::string name() const = 0;
  /// The map [N, C, H, W] (or [N, D]) that goes on in the place of this one.
  virtual at::Tensor feature_map(const Passage&, at::Tensor map) { return map; }
  virtual void after_step(const Surroundings&) {}
  virtual void save(State&, const std::string& /*prefix*/) const {}
  virtual void load(const State&, const std::string& /*prefix*/) {}
};

}  // namespace perennial
