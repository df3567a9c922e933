#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/softmax.h>
#include <gtest/gtest.h>

#include "perennial/learn/network_evidence.h"
#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

class NetworkFacts : public testing::Test {
 protected:
  NetworkFacts() {
    trainer_.meet(samples_.labels());
    for (int i = 0; i < 3; ++i) trainer_.step(samples_, 0.05);
  }
  NetworkEvidence evidence(const Views* views = nullptr) {
    return {trainer_, samples_, views, 0, nullptr, nullptr};
  }

  Samples samples_ = halves(40, {0, 1, 3}, 1);
  Trainer trainer_{small_setup(), {}};
};

TEST_F(NetworkFacts, AreThoseOfTheNetwork) {
  NetworkEvidence plain = evidence(), by_features = evidence();
  EXPECT_TRUE(plain.logits().equal(trainer_.net().logits(samples_)));
  by_features.features();  // then the head alone has work left
  EXPECT_TRUE(at::allclose(by_features.logits(), plain.logits()));
  EXPECT_TRUE(plain.probabilities().equal(at::softmax(plain.logits(), 1)));
  EXPECT_EQ(plain.rows()[2].item<int64_t>(), 2);  // label 3 is the third that was met
  EXPECT_EQ(plain.head_weight().sizes(), (at::IntArrayRef{3, trainer_.net().head().feature_size()}));
  EXPECT_EQ(plain.gradients().residual.sizes(), (at::IntArrayRef{40, 3}));
  EXPECT_EQ(plain.gradients().feature.size(1), trainer_.net().head().feature_size());
}

TEST_F(NetworkFacts, VotesAndUncertaintyAreOfTheViews) {
  const Views views{5,
                    [](const Samples& some, int64_t a, uint64_t position) {
                      return perturb(some.tensor(column::kImage), some.ids(), Perturbation::kVr,
                                     static_cast<int>(a), 1, position);
                    },
                    [](const at::Tensor& logits, const at::Tensor&) {
                      return std::vector<float>(static_cast<size_t>(logits.size(1)), 0.25F);
                    }};
  NetworkEvidence seen = evidence(&views);
  EXPECT_TRUE(seen.votes().sum(1).eq(5).all().item<bool>());
  EXPECT_EQ(seen.uncertainty(), std::vector<float>(40, 0.25F));
  NetworkEvidence without = evidence();
  EXPECT_THROW(without.votes(), std::logic_error);
}

TEST_F(NetworkFacts, AreNotGivenOutOnceTheNetworkHasLearnedOn) {
  NetworkEvidence before = evidence();
  before.losses();
  trainer_.step(samples_, 0.05);
  EXPECT_THROW(before.losses(), std::logic_error);
  EXPECT_THROW(before.features(), std::logic_error);
  NetworkEvidence grown = evidence();
  trainer_.meet(std::vector<int64_t>{2});
  EXPECT_THROW(grown.logits(), std::logic_error);
}

TEST(LearnersEvidence, IsThereForStrategies) {
  const auto learner = make_learner({"er"});
  learn_task(*learner, halves(60, {0, 1}, 1));
  const Samples pool({1, 2}, {{column::kImage, halves(2, {0, 1}, 5).tensor(column::kImage)}});  // no labels
  const auto evidence = learner->evidence(pool);
  ASSERT_NE(evidence, nullptr);
  EXPECT_EQ(evidence->probabilities().size(0), 2);
  EXPECT_EQ(evidence->gradients().residual.size(1), 2);
  const auto rainbow = make_learner({"rm"});
  learn_task(*rainbow, halves(60, {0, 1}, 1));
  EXPECT_EQ(rainbow->evidence(pool)->uncertainty().size(), 2U);
}

}  // namespace
}  // namespace perennial
