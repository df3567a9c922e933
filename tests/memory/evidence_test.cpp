#include "perennial/memory/evidence.h"

#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "tests/memory/told.h"

namespace perennial {
namespace {

Told three_samples(bool labelled = true) {
  Samples::Columns columns{{column::kImage, at::zeros({3, 1, 1, 1}, at::kByte)}};
  if (labelled) columns.emplace(column::kLabel, at::tensor({1, 0, 1}, at::kLong));
  Told told({{7, 8, 9}, columns}, 2);
  told.logits_told = at::tensor({0.5F, 2.0F, -1.0F, 0.0F, 3.0F, 1.0F}).reshape({3, 2});
  told.features_told = at::linspace(-1, 1, 12).reshape({3, 4});
  return told;
}

TEST(Evidence, EachThingIsFoundOutOnce) {
  Told told = three_samples();
  for (int i = 0; i < 3; ++i) told.probabilities(), told.losses(), told.logits();
  EXPECT_EQ(told.asked, 1);
  told.gradients(), told.features(), told.gradients();
  EXPECT_EQ(told.asked, 2);
}

TEST(Evidence, LossesAreOfTheLabels) {
  Told told = three_samples();
  const at::Tensor p = at::softmax(told.logits_told, 1);
  for (int64_t i = 0; i < 3; ++i)
    EXPECT_NEAR(told.losses()[i].item<double>(), -std::log(p[i][told.samples().labels()[i]].item<double>()),
                1e-6);
}

TEST(Evidence, FactorisedGradientsAreThoseOfTheLastLayer) {
  Told told = three_samples();
  const FactorisedGradients& g = told.gradients();
  // Sample by sample by automatic differentiation, K x D as it should never be.
  std::vector<at::Tensor> whole;
  for (int64_t i = 0; i < 3; ++i) {
    at::Tensor weight = at::zeros({2, 4});
    weight.set_requires_grad(true);
    const at::Tensor logits = told.features_told[i].matmul(weight.t()) + told.logits_told[i];
    at::cross_entropy_loss(logits.unsqueeze(0), told.rows()[i].unsqueeze(0)).backward();
    whole.push_back(weight.grad());
  }
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(at::allclose(g.residual[i].unsqueeze(1) * g.feature[i].unsqueeze(0), whole[i]));
    EXPECT_NEAR(g.norms()[i].item<double>(), whole[i].norm().item<double>(), 1e-5);
    for (int64_t j = 0; j < 3; ++j)
      EXPECT_NEAR(g.products(g)[i][j].item<double>(), (whole[i] * whole[j]).sum().item<double>(), 1e-5);
  }
}

TEST(Evidence, WithoutLabelsThePredictionStandsForThem) {
  Told told = three_samples(false);
  EXPECT_TRUE(told.rows().equal(at::tensor({1, 1, 0}, at::kLong)));
}

TEST(Evidence, NothingIsGivenOutOnceTheLearnerHasLearnedOn) {
  Told told = three_samples();
  told.losses();
  told.learned = true;
  EXPECT_THROW(told.losses(), std::logic_error);
  EXPECT_THROW(told.gradients(), std::logic_error);
}

TEST(Evidence, SaysWhatItCannotTell) {
  Told told = three_samples();
  EXPECT_THROW(told.votes(), std::logic_error);
  EXPECT_THROW(told.uncertainty(), std::logic_error);
  EXPECT_THROW(told.head_weight(), std::logic_error);
}

}  // namespace
}  // namespace perennial
