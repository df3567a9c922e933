#include "perennial/nn/head.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/all.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <gtest/gtest.h>

#include "tests/nn/nn_fixtures.h"

namespace perennial {
namespace {

class EachHead : public testing::TestWithParam<HeadKind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, EachHead, testing::Values(HeadKind::kLinear, HeadKind::kLinearNorm));

TEST_P(EachHead, GrowsWithoutChangingOldLogits) {
  Head head(GetParam(), 16, 3, 1);
  disturb_norms(head.tensors(), 4);
  const at::Tensor x = noise({8, 16}, 2), before = head.forward(x, false);
  head.grow(7);
  const at::Tensor after = head.forward(x, false);
  EXPECT_EQ(after.sizes(), (at::IntArrayRef{8, 7}));
  EXPECT_LT(largest_difference(after.narrow(1, 0, 3), before), 1e-6);
  for (const at::Tensor& t : head.tensors().trainable()) EXPECT_TRUE(t.requires_grad() && t.is_leaf());
  EXPECT_THROW(head.grow(2), std::invalid_argument);
}

TEST_P(EachHead, DrawsARowFromSeedClassAndPositionAlone) {
  Head at_once(GetParam(), 16, 6, 1), step_by_step(GetParam(), 16, 0, 1), later(GetParam(), 16, 6, 1, 2);
  step_by_step.grow(1);
  step_by_step.grow(6);
  EXPECT_TRUE(at::equal(named(at_once.tensors(), "weight"), named(step_by_step.tensors(), "weight")));
  EXPECT_FALSE(at::equal(named(at_once.tensors(), "weight"), named(later.tensors(), "weight")));
  const double largest = named(at_once.tensors(), "weight").abs().max().item().toDouble();
  EXPECT_LE(largest, 0.25);
  EXPECT_GT(largest, 0.15);
}

TEST(Head, NormalisesItsLogitsWhenAsked) {
  Head head(HeadKind::kLinearNorm, 16, 3, 1);
  const at::Tensor logits = head.forward(noise({64, 16}, 2).mul(5), true);
  EXPECT_LT(logits.mean({0}).abs().max().item().toDouble(), 1e-4);
  EXPECT_NEAR(logits.square().mean().item().toDouble(), 1, 1e-3);
}

}  // namespace
}  // namespace perennial
