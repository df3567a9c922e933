#include "perennial/tasks/segment/matte_training.h"

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
  for (const NamedTensor& p : group.parameters) sum += p.value.numel();
  return sum;
}

TEST(MatteTraining, StagesAreThePapers) {
  const auto stages = matte_stages({});
  ASSERT_EQ(stages.size(), 2U);
  EXPECT_TRUE(stages[0].encoder_only);
  EXPECT_EQ(stages[0].lr, 7.5e-4);
  EXPECT_EQ(matte_learning_rate(stages[1], 149), 7.5e-4);
  EXPECT_EQ(matte_learning_rate(stages[1], 150), 7.5e-4 / 2);
  EXPECT_EQ(matte_learning_rate(stages[1], 249), 7.5e-4 / 2);
  EXPECT_EQ(matte_learning_rate(stages[1], 250), 7.5e-4 / 4);
  MatteTrainOptions options;
  options.loss = "lovasz";
  options.encoder_epochs = 0;
  ASSERT_EQ(matte_stages(options).size(), 1U);
  EXPECT_EQ(matte_stages(options)[0].lr, 5e-4);
}

TEST(MatteTraining, GroupsCoverTheNetworkByKind) {
  const auto net = make_sinet({}, 1);
  const auto all = sinet_groups(*net, false);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(count(all[0]) + count(all[1]), 74676);  // convolutions, as the paper's network splits
  EXPECT_EQ(count(all[2]), 5764 + 2122 + 4348);     // normalisation, PReLU, linear layers
  for (const NamedTensor& p : all[0].parameters) EXPECT_EQ(p.value.size(1), 1);
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
  for (const char* kind : {"cross_entropy", "lovasz"}) {
    MatteTrainOptions options;
    options.loss = kind;
    for (const MatteStage& stage : matte_stages(options)) {
      const auto net = small_net();
      Optimiser adam(sinet_groups(*net, stage.encoder_only), {.name = "adam"});
      double first = 0, last = 0;
      for (int step = 0; step < 15; ++step) {
        const at::Tensor loss = matte_stage_loss(*net, stage, inputs, labels, options, {});
        last = loss.item().toDouble();
        if (step == 0) first = last;
        loss.backward();
        adam.step(5e-3);
      }
      EXPECT_LT(last, 0.8 * first) << stage.name << ' ' << kind;
    }
  }
}

TEST(MatteTraining, EncoderStageLeavesTheDecoderAlone) {
  const auto net = small_net();
  std::vector<std::pair<std::string, at::Tensor>> before;
  for (const NamedTensor& t : net->tensors().all())
    if (!t.name.starts_with("encoder.")) before.emplace_back(t.name, t.value.detach().clone());
  Optimiser adam(sinet_groups(*net, true), {.name = "adam"});
  const at::Tensor labels = at::zeros({2, 64, 64}, at::kLong);
  matte_stage_loss(*net, matte_stages({})[0], uniform({2, 3, 64, 64}, 1, 1, "x"), labels, {}, {}).backward();
  adam.step(0.1);
  size_t i = 0;
  for (const NamedTensor& t : net->tensors().all())
    if (!t.name.starts_with("encoder.")) {
      EXPECT_TRUE(at::equal(t.value, before[i++].second)) << t.name;
    }
}

}  // namespace
}  // namespace perennial
