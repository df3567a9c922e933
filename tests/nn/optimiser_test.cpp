#include "perennial/nn/optimiser.h"

#include <cmath>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "perennial/base/error.h"
#include "perennial/nn/head.h"
#include "tests/nn/nn_fixtures.h"

namespace perennial {
namespace {

at::Tensor leaf(at::IntArrayRef shape, uint64_t seed) { return noise(shape, seed).set_requires_grad(true); }

at::Tensor copy_of(const at::Tensor& leaf) { return leaf.detach().clone().set_requires_grad(true); }

ParameterGroup group(const std::vector<at::Tensor>& parameters, double decay = 1e-4) {
  ParameterGroup group{{}, decay};
  for (const at::Tensor& p : parameters)
    group.parameters.push_back({"p" + std::to_string(group.parameters.size()), p});
  return group;
}

void step_with(Optimiser& optimiser, const std::vector<at::Tensor>& parameters, uint64_t seed,
               double lr = 0.1) {
  for (size_t i = 0; i < parameters.size(); ++i)
    parameters[i].mutable_grad() = noise(parameters[i].sizes(), seed * 100 + i);
  optimiser.step(lr);
}

TensorMap saved(const Optimiser& optimiser) {
  TensorMap out;
  optimiser.save(out, "o.");
  return out;
}

RC_GTEST_PROP(Sgd, FollowsTheFormula, ()) {
  const bool nesterov = *rc::gen::arbitrary<bool>();
  const double momentum = *rc::gen::inRange(0, 100) / 100.0, decay = *rc::gen::inRange(0, 100) / 1000.0;
  const int64_t size = *rc::gen::inRange(1, 40);
  at::Tensor p = leaf({size}, 1);
  at::Tensor expected = p.detach().to(at::kDouble).clone(), velocity = at::zeros({size}, at::kDouble);
  Optimiser sgd({group({p}, decay)}, {.momentum = momentum, .nesterov = nesterov});
  for (uint64_t t = 1; t <= 4; ++t) {
    const double lr = 0.1 / static_cast<double>(t);
    step_with(sgd, {p}, t, lr);
    const at::Tensor g = noise({size}, t * 100).to(at::kDouble).add(expected, decay);
    velocity = velocity.mul(momentum).add(g);
    expected = expected.sub(nesterov ? g.add(velocity, momentum) : velocity, lr);
  }
  RC_ASSERT(largest_difference(p, expected) < 1e-5);
}

// Algorithm 1 of Adam's paper with L2 decay, algorithm 2 of AdamW's; each group with its rate and decay.
TEST(Adam, FollowsTheFormulaInEachGroup) {
  for (const std::string name : {"adam", "adamw"}) {
    at::Tensor a = leaf({7}, 1), b = leaf({2, 3, 2, 2}, 2);
    std::vector<ParameterGroup> groups{{{{"a", a}}, 0.0, 1.0}, {{{"b", b}}, 0.1, 0.5}};
    Optimiser adam(groups, {.name = name});
    for (const ParameterGroup& one : groups) {
      const at::Tensor p = one.parameters[0].value;
      const double lr = 0.01 * one.rate, decay = one.weight_decay;
      at::Tensor expected = p.detach().to(at::kDouble).clone();
      at::Tensor m = at::zeros(p.sizes(), at::kDouble), v = at::zeros(p.sizes(), at::kDouble);
      for (uint64_t t = 1; t <= 5; ++t) {
        p.mutable_grad() = noise(p.sizes(), t);
        adam.step(0.01);
        at::Tensor g = noise(p.sizes(), t).to(at::kDouble);
        if (name == "adam")
          g = g.add(expected, decay);
        else
          expected = expected.mul(1 - lr * decay);
        m = m.mul(0.9).add(g, 0.1);
        v = v.mul(0.999).add(g.mul(g), 0.001);
        const double n = static_cast<double>(t);
        const at::Tensor root = v.div(1 - std::pow(0.999, n)).sqrt().add(1e-8);
        expected = expected.sub(m.div(1 - std::pow(0.9, n)).div(root), lr);
      }
      EXPECT_LT(largest_difference(p, expected), 1e-5) << name;
      EXPECT_FALSE(p.grad().defined());
    }
  }
}

TEST(Optimiser, RefusesNamesThatAreNone) {
  try {
    Optimiser({group({leaf({1}, 1)})}, {.name = "adamv"});
    ADD_FAILURE();
  } catch (const std::invalid_argument& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("did you mean"));
  }
  const at::Tensor p = leaf({1}, 1);
  EXPECT_THROW(Optimiser({group({p}), group({p})}, {}), std::invalid_argument) << "two of one name";
}

class Optimisers : public testing::TestWithParam<const char*> {
 protected:
  Optimiser make(const std::vector<at::Tensor>& parameters) const {
    return {{group(parameters, 0.01)}, {.name = GetParam()}};
  }
};

TEST_P(Optimisers, DropGradientsAndLeaveParametersWithoutOneAlone) {
  at::Tensor a = leaf({3}, 1), b = leaf({3}, 2);
  const at::Tensor before = b.detach().clone();
  Optimiser optimiser = make({a, b});
  a.mutable_grad() = noise({3}, 3);
  optimiser.step(0.1);
  EXPECT_FALSE(a.grad().defined());
  EXPECT_TRUE(at::equal(b, before));
  for (const auto& [name, tensor] : saved(optimiser)) EXPECT_TRUE(name.starts_with("o.p0.")) << name;
}

TEST_P(Optimisers, TakeGradientsOfAnotherMemoryFormat) {
  at::Tensor plain = leaf({4, 3, 2, 2}, 1);
  at::Tensor last = plain.detach().clone().contiguous(at::MemoryFormat::ChannelsLast).set_requires_grad(true);
  Optimiser first = make({plain}), second = make({last});
  for (uint64_t t = 1; t < 4; ++t) {
    step_with(first, {plain}, t);
    step_with(second, {last}, t);  // noise is contiguous, the parameter channels-last
  }
  EXPECT_LT(largest_difference(plain, last), 1e-6);
}

// By name: in whatever order and groups the parameters then are.
TEST_P(Optimisers, GoOnBitEqualAfterSaveAndLoad) {
  const auto last = at::MemoryFormat::ChannelsLast;
  const std::vector<at::Tensor> a{leaf({7}, 1),
                                  leaf({4, 3, 3, 3}, 2).detach().contiguous(last).set_requires_grad(true)};
  Optimiser original = make(a);
  for (uint64_t t = 0; t < 3; ++t) step_with(original, a, t);
  const std::vector<at::Tensor> b{copy_of(a[0]), copy_of(a[1])};
  Optimiser restored({{{{"p1", b[1]}}, 0.01}, {{{"p0", b[0]}}, 0.01}}, {.name = GetParam()});
  restored.load(saved(original), "o.", "test");
  step_with(original, a, 9);
  step_with(restored, b, 9);
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(at::equal(a[i], b[i])) << i;
  step_with(original, a, 10);
  EXPECT_FALSE(at::equal(a[0], b[0]));
}

TEST_P(Optimisers, RefuseWhatIsOfAnotherShape) {
  const at::Tensor p = leaf({4}, 1);
  Optimiser first = make({p}), second = make({leaf({5}, 1)});
  step_with(first, {p}, 1);
  EXPECT_THROW(second.load(saved(first), "o.", "file"), Error);
}

TEST_P(Optimisers, KeepWhatIsRememberedOfRowsWhenAHeadGrows) {
  Head head(HeadKind::kLinear, 5, 2, 1);
  Optimiser optimiser({{head.tensors().trainable("head.")}}, {.name = GetParam()});
  step_with(optimiser, head.tensors().trainable(), 1);
  const TensorMap before = saved(optimiser);
  head.grow(4);
  optimiser.replace({{head.tensors().trainable("head.")}});
  TensorMap after = saved(optimiser);
  for (const char* name : {"o.head.weight.first", "o.head.bias.first"}) {
    ASSERT_EQ(after[name].size(0), 4);
    EXPECT_TRUE(at::equal(after[name].narrow(0, 0, 2), before.at(name)));
    EXPECT_EQ(after[name].narrow(0, 2, 2).abs().max().item().toDouble(), 0);
  }
  const at::Tensor weights = named(head.tensors(), "weight").detach().clone();
  step_with(optimiser, head.tensors().trainable(), 2);  // the new leaves are the ones that move
  EXPECT_GT(largest_difference(named(head.tensors(), "weight"), weights), 1e-4);
  optimiser.replace({});
  EXPECT_TRUE(saved(optimiser).empty());
}

INSTANTIATE_TEST_SUITE_P(Nn, Optimisers, testing::Values("sgd", "adam", "adamw"),
                         [](const auto& one) { return std::string(one.param); });

// What versions before names wrote: sgd's momenta by position over all groups, Adam's by group and position.
TEST(Optimiser, ReadsWhatIsKeptByPosition) {
  for (const std::string name : {"sgd", "adam"}) {
    const std::vector<at::Tensor> a{leaf({3}, 1), leaf({4}, 2)}, b{copy_of(a[0]), copy_of(a[1])};
    const auto groups = [](const std::vector<at::Tensor>& p) {
      return std::vector<ParameterGroup>{{{{"x", p[0]}}, 0.1}, {{{"y", p[1]}}, 0}};
    };
    Optimiser original(groups(a), {.name = name}), restored(groups(b), {.name = name});
    step_with(original, a, 1);
    const TensorMap now = saved(original);
    TensorMap then;
    if (name == "sgd") {
      then = {{"o.momentum.0", now.at("o.x.first")}, {"o.momentum.1", now.at("o.y.first")}};
    } else {
      for (const std::string what : {"first", "second", "steps"})
        then["o.adam.0.0." + what] = now.at("o.x." + what),
                             then["o.adam.1.0." + what] = now.at("o.y." + what);
    }
    for (size_t i = 0; i < 2; ++i) b[i].detach().copy_(a[i].detach());
    restored.load(then, "o.", "test");
    step_with(original, a, 2), step_with(restored, b, 2);
    for (size_t i = 0; i < 2; ++i) EXPECT_TRUE(at::equal(a[i], b[i])) << name;
  }
}

}  // namespace
}  // namespace perennial
