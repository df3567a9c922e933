#include "perennial/nn/optimiser.h"

#include <cmath>
#include <memory>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "perennial/base/error.h"
#include "perennial/nn/head.h"
#include "tests/nn/nn_fixtures.h"

namespace perennial {
namespace {

at::Tensor leaf(at::IntArrayRef shape, uint64_t seed) { return noise(shape, seed).set_requires_grad(true); }

void step_with(Sgd& sgd, const std::vector<at::Tensor>& parameters, uint64_t seed, double lr = 0.1) {
  for (size_t i = 0; i < parameters.size(); ++i)
    parameters[i].mutable_grad() = noise(parameters[i].sizes(), seed * 100 + i);
  sgd.step(lr);
}

RC_GTEST_PROP(Optimiser, FollowsTheFormula, ()) {
  const bool nesterov = *rc::gen::arbitrary<bool>();
  const double momentum = *rc::gen::inRange(1, 100) / 100.0, decay = *rc::gen::inRange(0, 100) / 1000.0;
  const int64_t size = *rc::gen::inRange(1, 40);
  at::Tensor p = leaf({size}, 1);
  at::Tensor expected = p.detach().to(at::kDouble).clone(), velocity = at::zeros({size}, at::kDouble);
  Sgd sgd({p}, {momentum, decay, nesterov});
  for (uint64_t t = 1; t <= 4; ++t) {
    const double lr = 0.1 / static_cast<double>(t);
    step_with(sgd, {p}, t, lr);
    const at::Tensor g = noise({size}, t * 100).to(at::kDouble).add(expected, decay);
    velocity = velocity.mul(momentum).add(g);
    expected = expected.sub(nesterov ? g.add(velocity, momentum) : velocity, lr);
  }
  RC_ASSERT(largest_difference(p, expected) < 1e-5);
}

TEST(Optimiser, DropsGradientsAndLeavesParametersWithoutOneAlone) {
  at::Tensor a = leaf({3}, 1), b = leaf({3}, 2);
  const at::Tensor before = b.detach().clone();
  Sgd sgd({a, b}, {});
  a.mutable_grad() = noise({3}, 3);
  sgd.step(0.1);
  EXPECT_FALSE(a.grad().defined());
  EXPECT_TRUE(at::equal(b, before));
  TensorMap saved;
  sgd.save(saved, "");
  EXPECT_EQ(saved.size(), 1U);  // b has no momentum yet
}

TEST(Optimiser, TakesGradientsOfAnotherMemoryFormat) {
  at::Tensor plain = leaf({4, 3, 2, 2}, 1);
  at::Tensor last = plain.detach().clone().contiguous(at::MemoryFormat::ChannelsLast).set_requires_grad(true);
  Sgd first({plain}, {}), second({last}, {});
  for (uint64_t t = 1; t < 4; ++t) {
    step_with(first, {plain}, t);
    step_with(second, {last}, t);  // noise is contiguous, the parameter channels-last
  }
  EXPECT_LT(largest_difference(plain, last), 1e-6);
}

TEST(Optimiser, GoesOnBitEqualAfterSaveAndLoad) {
  const auto last = at::MemoryFormat::ChannelsLast;
  std::vector<at::Tensor> a{leaf({7}, 1),
                            leaf({4, 3, 3, 3}, 2).detach().contiguous(last).set_requires_grad(true)};
  Sgd original(a, {});
  for (uint64_t t = 0; t < 3; ++t) step_with(original, a, t);
  TensorMap saved;
  original.save(saved, "sgd.");
  std::vector<at::Tensor> b;
  for (const at::Tensor& t : a) b.push_back(t.detach().clone().set_requires_grad(true));
  Sgd restored(b, {});
  restored.load(saved, "sgd.", "test");
  step_with(original, a, 9);
  step_with(restored, b, 9);
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(at::equal(a[i], b[i])) << i;
  step_with(original, a, 10);
  EXPECT_FALSE(at::equal(a[0], b[0]));
}

TEST(Optimiser, RefusesMomentaOfAnotherShape) {
  Sgd sgd({leaf({7}, 1)}, {});
  EXPECT_THROW(sgd.load({{"momentum.0", noise({6}, 1)}}, "", "file"), Error);
  EXPECT_THROW(sgd.replace({}), std::invalid_argument);
}

TEST(Optimiser, KeepsTheMomentumOfRowsWhenAHeadGrows) {
  Head grown(HeadKind::kLinear, 5, 2, 1);
  Sgd sgd(grown.tensors().trainable(), {});
  step_with(sgd, grown.tensors().trainable(), 1);
  TensorMap before, after;
  sgd.save(before, "");
  grown.grow(4);
  sgd.replace(grown.tensors().trainable());
  sgd.save(after, "");
  ASSERT_EQ(after["momentum.0"].size(0), 4);
  EXPECT_TRUE(at::equal(after["momentum.0"].narrow(0, 0, 2), before["momentum.0"]));
  EXPECT_TRUE(at::equal(after["momentum.1"].narrow(0, 0, 2), before["momentum.1"]));
  EXPECT_EQ(after["momentum.0"].narrow(0, 2, 2).abs().max().item().toDouble(), 0);
  const at::Tensor weights = named(grown.tensors(), "weight").detach().clone();
  step_with(sgd, grown.tensors().trainable(), 2);  // the new leaves are the ones that move
  EXPECT_GT(largest_difference(named(grown.tensors(), "weight"), weights), 1e-4);
}

// Adam's step by its paper's algorithm 1, with L2 weight decay.
TEST(Adam, FollowsTheFormulaInEachGroup) {
  at::Tensor a = leaf({7}, 1), b = leaf({2, 3, 2, 2}, 2);
  Adam adam({{{a}, 0.0}, {{b}, 0.1}}, {});
  for (const auto& [p, decay] : {std::pair(a, 0.0), std::pair(b, 0.1)}) {
    at::Tensor expected = p.detach().to(at::kDouble).clone();
    at::Tensor m = at::zeros(p.sizes(), at::kDouble), v = at::zeros(p.sizes(), at::kDouble);
    for (uint64_t t = 1; t <= 5; ++t) {
      p.mutable_grad() = noise(p.sizes(), t);
      adam.step(0.01);
      const at::Tensor g = noise(p.sizes(), t).to(at::kDouble).add(expected, decay);
      m = m.mul(0.9).add(g, 0.1);
      v = v.mul(0.999).add(g.mul(g), 0.001);
      const double n = static_cast<double>(t);
      const at::Tensor root = v.div(1 - std::pow(0.999, n)).sqrt().add(1e-8);
      expected = expected.sub(m.div(1 - std::pow(0.9, n)).div(root), 0.01);
    }
    EXPECT_LT(largest_difference(p, expected), 1e-5);
    EXPECT_FALSE(p.grad().defined());
  }
}

TEST(Adam, GoesOnAfterLoadingAsIfNeverStopped) {
  const auto run = [](bool reload) {
    at::Tensor p = leaf({4, 3, 1, 1}, 1), idle = leaf({2}, 2);
    auto adam = std::make_unique<Adam>(std::vector<ParameterGroup>{{{p, idle}, 0.01}}, AdamOptions{});
    for (uint64_t t = 1; t <= 6; ++t) {
      if (reload && t == 4) {
        TensorMap saved;
        adam->save(saved, "x.");
        EXPECT_EQ(saved.size(), 3U);
        adam = std::make_unique<Adam>(std::vector<ParameterGroup>{{{p, idle}, 0.01}}, AdamOptions{});
        adam->load(saved, "x.", "test");
      }
      p.mutable_grad() = noise(p.sizes(), t);
      adam->step(0.05);
    }
    return p.detach().clone();
  };
  EXPECT_TRUE(at::equal(run(false), run(true)));
}

TEST(Adam, RefusesMomentsOfAnotherShape) {
  at::Tensor p = leaf({4}, 1), other = leaf({5}, 1);
  Adam first({{{p}, 0}}, {}), second({{{other}, 0}}, {});
  p.mutable_grad() = noise({4}, 1);
  first.step(0.1);
  TensorMap saved;
  first.save(saved, "");
  EXPECT_THROW(second.load(saved, "", "test"), Error);
}

}  // namespace
}  // namespace perennial
