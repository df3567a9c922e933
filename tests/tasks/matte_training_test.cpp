#include "perennial/tasks/matte_training.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "perennial/nn/init.h"

namespace perennial {
namespace {

std::unique_ptr<Sinet> small_net() {
  SinetOptions options;
  options.height = options.width = 64;
  return make_sinet(options, 1);
}

int64_t count(const ParameterGroup& group) {
  int64_t sum = 0;
  for (const at::Tensor& p : group.parameters) sum += p.numel();
  return sum;
}

TEST(MatteTraining, LearningRateHalvesTwice) {
  EXPECT_EQ(matte_learning_rate(4, 149), 4);
  EXPECT_EQ(matte_learning_rate(4, 150), 2);
  EXPECT_EQ(matte_learning_rate(4, 249), 2);
  EXPECT_EQ(matte_learning_rate(4, 250), 1);
  EXPECT_EQ(initial_matte_learning_rate("cross_entropy"), 7.5e-4);
  EXPECT_EQ(initial_matte_learning_rate("lovasz"), 5e-4);
  EXPECT_THROW(initial_matte_learning_rate("dice"), std::invalid_argument);
}

TEST(MatteTraining, GroupsCoverTheNetworkByKind) {
  const auto net = make_sinet({}, 1);
  const auto all = sinet_groups(*net, false);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(count(all[0]) + count(all[1]), 74676);  // convolutions, as the paper's network splits
  EXPECT_EQ(count(all[2]), 5764 + 2122 + 4348);     // normalisation, PReLU, linear layers
  for (const at::Tensor& p : all[0].parameters) EXPECT_EQ(p.size(1), 1);
  EXPECT_EQ(all[0].weight_decay, 0);
  EXPECT_EQ(all[1].weight_decay, 2e-4);
  EXPECT_EQ(all[2].weight_decay, 2e-6);
  const auto encoder = sinet_groups(*net, true);
  EXPECT_EQ(count(encoder[0]) + count(encoder[1]) + count(encoder[2]), 86764);
}

// Both stages and both losses learn one small batch.
TEST(MatteTraining, StagesLearn) {
  at::Tensor labels = at::zeros({4, 64, 64}, at::kLong);
  at::Tensor inputs = uniform({4, 3, 64, 64}, 0.2, 1, "inputs");
  for (int64_t n = 0; n < 4; ++n) {
    labels[n].slice(0, 8 * n, 8 * n + 32).slice(1, 16, 56).fill_(1);
    inputs[n].slice(1, 8 * n, 8 * n + 32).slice(2, 16, 56).add_(1);
  }
  for (const char* kind : {"cross_entropy", "lovasz"})
    for (const MatteStage& stage : matte_stages()) {
      const auto net = small_net();
      Adam adam(sinet_groups(*net, stage.encoder_only), {});
      double first = 0, last = 0;
      for (int step = 0; step < 15; ++step) {
        const at::Tensor loss = matte_stage_loss(*net, stage, inputs, labels, kind, {});
        last = loss.item().toDouble();
        if (step == 0) first = last;
        loss.backward();
        adam.step(5e-3);
      }
      EXPECT_LT(last, 0.8 * first) << stage.name << ' ' << kind;
    }
}

TEST(MatteTraining, EncoderStageLeavesTheDecoderAlone) {
  const auto net = small_net();
  std::vector<std::pair<std::string, at::Tensor>> before;
  for (const NamedTensor& t : net->tensors().all())
    if (!t.name.starts_with("encoder.")) before.emplace_back(t.name, t.value.detach().clone());
  Adam adam(sinet_groups(*net, true), {});
  const at::Tensor labels = at::zeros({2, 64, 64}, at::kLong);
  matte_stage_loss(*net, matte_stages()[0], uniform({2, 3, 64, 64}, 1, 1, "x"), labels, "cross_entropy", {})
      .backward();
  adam.step(0.1);
  size_t i = 0;
  for (const NamedTensor& t : net->tensors().all())
    if (!t.name.starts_with("encoder.")) {
      EXPECT_TRUE(at::equal(t.value, before[i++].second)) << t.name;
    }
}

}  // namespace
}  // namespace perennial
