#pragma once

#include <memory>

#include "perennial/learn/robust.h"
#include "perennial/learn/routine.h"

namespace perennial {

/// SELFIE as the comparisons of PuriDivER coded it: the label of a sample gives way to the network's
/// prediction once that has been the same so many times running. (The paper's entropy rule, Song, Kim, Lee:
/// "SELFIE", ICML 2019, is another.)
std::unique_ptr<RobustTraining> make_selfie(const LearnerSetup& setup);

/// Co-teaching (Han et al., "Co-teaching: Robust training of deep neural networks with extremely noisy
/// labels", NeurIPS 2018): two networks, each trained on the part of a batch with the smallest losses of the
/// other. The learner predicts with the first.
std::unique_ptr<RobustTraining> make_coteaching(const LearnerSetup& setup, const TrainerParts& parts);

/// DivideMix (Li, Socher, Hoi: "DivideMix: Learning with noisy labels as semi-supervised learning", ICLR
/// 2020): two networks, each of which divides the memory for the other by a mixture of two Gaussians over
/// its losses; labels are refined, those of doubtful samples guessed by both, all mixed. Both predict, by the
/// mean of their probabilities (dividemix.both).
std::unique_ptr<RobustTraining> make_dividemix(const LearnerSetup& setup, const TrainerParts& parts);

/// PuriDivER's robust training (Bang et al., CVPR 2022): the memory is split anew in each epoch; samples of
/// small loss keep their labels, of the others those with a sure prediction are relabelled and the rest
/// taken without a label.
std::unique_ptr<RobustTraining> make_puridiver(const LearnerSetup& setup);

/// Rows of a memory whose labels are taken to be clean, by the losses of one network: the probability that
/// each belongs to the Gaussian of small losses.
std::vector<float> probably_clean(Evidence& evidence);

/// A second network beside the learner's, which learns from the same samples.
class SecondNetwork : public RobustTraining {
 public:
  SecondNetwork(const LearnerSetup& setup, const TrainerParts& parts);
  void streamed(ReplayKit& kit, const Samples& batch, double lr) override;
  void meet(std::span<const int64_t> labels) override { second_.meet(labels); }
  void begin_task(ReplayKit& kit) override { second_.begin_task(kit.task); }
  void restart(ReplayKit& kit) override { second_.restart(kit.task); }
  void save(State& state, const std::string& prefix) const override {
    second_.save(state, prefix + "second.");
  }
  void load(const State& state, const std::string& prefix) override {
    second_.load(state, prefix + "second.");
  }

 protected:
  Trainer second_;
};

}  // namespace perennial
