// Training on a memory with wrong labels.
#include <algorithm>

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/context.h"
#include "perennial/base/files.h"
#include "perennial/base/random.h"
#include "perennial/memory/memory.h"
#include "tests/base/temporary_folder.h"
#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

/// Of the samples' labels a share is another one.
Samples mislabelled(const Samples& samples, double share) {
  std::vector<int64_t> labels(samples.labels().begin(), samples.labels().end());
  for (size_t i = 0; i < labels.size(); ++i) {
    Random random(1, "wrong", 0, static_cast<uint64_t>(samples.ids()[i]));
    if (random.chance(static_cast<float>(share))) labels[i] = (labels[i] + 1 + random.below(3)) % 4;
  }
  return samples.with(column::kLabel, at::tensor(labels));
}

Samples noisy() { return mislabelled(halves(300, {0, 1, 2, 3}, 1), 0.4); }

/// Accuracy on right labels of a memory of a hundred samples with wrong ones.
double trained(const std::vector<std::pair<std::string, std::string>>& options) {
  LearnerSetup setup = small_setup();
  setup.memory = MemoryBudget::parse("100");
  Switched what{"er", {{"epochs", "30"}, {"robust.warmup", "5"}, {"train.memory_batch", "16"}}};
  what.options.insert(what.options.end(), options.begin(), options.end());
  const auto learner = make_learner(what, setup);
  learn_task(*learner, noisy());
  return accuracy(*learner, halves(200, {0, 1, 2, 3}, 2, 1000));
}

TEST(Robust, TrainingStandsWrongLabelsThatPlainTrainingLearns) {
  const double plain = trained({});
  EXPECT_LT(plain, 0.95);
  EXPECT_GT(trained({{"robust", "puridiver"}}), plain + 0.03);
  EXPECT_GT(trained({{"robust", "dividemix"}, {"dividemix.weight", "1"}}), plain + 0.03);
  EXPECT_GT(trained({{"robust", "coteaching"}, {"coteaching.rate", "0.4"}}), plain);
  EXPECT_GE(trained({{"robust", "selfie"}}), plain - 0.05);
}

std::map<std::string, int64_t> verdicts(const Learner& learner) {
  std::map<std::string, int64_t> counts;
  for (const auto& [id, verdict] : learner.verdicts()) ++counts[verdict];
  return counts;
}

TEST(Robust, PuridiverDoubtsWrongLabels) {
  LearnerSetup setup = small_setup();
  setup.memory = MemoryBudget::parse("100");
  const Switched what{"er", {{"robust", "puridiver"}, {"robust.warmup", "5"}, {"epochs", "12"}}};
  const auto learner = make_learner(what, setup);
  const Samples task = noisy(), truth = halves(300, {0, 1, 2, 3}, 1);
  learn_task(*learner, task);
  const auto found = learner->verdicts();
  ASSERT_EQ(found.size(), 100U);
  int64_t clean = 0, right = 0;
  for (const auto& [id, verdict] : found) {
    const auto row = static_cast<size_t>(id);
    if (verdict != "clean") continue;
    ++clean;
    right += task.labels()[row] == truth.labels()[row] ? 1 : 0;
  }
  EXPECT_GT(clean, 30);
  EXPECT_GT(static_cast<double>(right) / static_cast<double>(clean), 0.8);
  EXPECT_GT(verdicts(*learner)["relabelled"] + verdicts(*learner)["unlabelled"], 10);
}

TEST(Robust, TheSwapRelabelsTheOthers) {
  LearnerSetup setup = small_setup();
  setup.memory = MemoryBudget::parse("100");
  const auto of = [&](const char* swap) {
    const auto learner = make_learner(
        {"er", {{"robust", "puridiver"}, {"robust.warmup", "5"}, {"epochs", "6"}, {"puridiver.swap", swap}}},
        setup);
    learn_task(*learner, noisy());
    return learner->verdicts();
  };
  const auto paper = of("false"), released = of("true");
  ASSERT_EQ(paper.size(), released.size());
  for (const auto& [id, verdict] : paper) {
    const std::map<std::string, std::string> other{
        {"clean", "clean"}, {"relabelled", "unlabelled"}, {"unlabelled", "relabelled"}};
    EXPECT_EQ(released.at(id), other.at(verdict));
  }
}

TEST(Robust, BothNetworksOfDivideMixPredict) {
  const Samples tested = halves(20, {0, 1, 2, 3}, 2, 1000);
  const auto of = [&](const char* both) {
    auto learner = make_learner(
        {"er", {{"robust", "dividemix"}, {"robust.warmup", "1"}, {"epochs", "3"}, {"dividemix.both", both}}});
    learn_task(*learner, noisy());
    return learner;
  };
  const auto pair = of("true"), first = of("false");
  const at::Tensor predicted = pair->predict(tested);
  EXPECT_FALSE(at::allclose(predicted, first->predict(tested)));
  EXPECT_TRUE(at::allclose(predicted.sum(at::IntArrayRef{1}), at::ones({tested.size()})));
  EXPECT_TRUE(at::equal(predicted, pair->snapshot()->predict(tested)));
}

TEST(Robust, NeitherNetworkOfDivideMixPredictsWhatIsYetToCome) {
  for (const char* method : {"er", "gdumb"}) {
    const auto learner = make_learner({method, {{"robust", "dividemix"}, {"train.whole_head", "true"}}});
    const Samples batch = halves(24, {0, 1}, 1);
    observe(*learner, batch);
    const at::Tensor predicted = learner->predict(batch);
    EXPECT_EQ(predicted.narrow(1, 2, 2).max().item<float>(), 0.0F) << method;
    EXPECT_TRUE(at::allclose(predicted.sum(at::IntArrayRef{1}), at::ones({batch.size()}))) << method;
  }
}

/// What is said while a memory of them is trained on.
std::string said_of(const Samples& samples) {
  const TemporaryFolder folder;
  Context context;
  const Context::Use use(context);
  context.log.to(folder / "log.txt", false);
  LearnerSetup setup = small_setup();
  setup.memory = MemoryBudget::parse("100");
  const auto learner = make_learner(
      {"er", {{"robust", "puridiver"}, {"robust.warmup", "5"}, {"epochs", "8"}, {"train.lr", "0.02"}}},
      setup);
  learn_task(*learner, samples);
  return read_file(folder / "log.txt");
}

TEST(Robust, PuridiverTellsOfClassesThatAreNotLearnedFrom) {
  const Samples task = halves(300, {0, 1}, 1);
  std::vector<int64_t> labels(task.labels().begin(), task.labels().end());
  for (size_t i = 0; i < labels.size(); ++i)
    if (labels[i] == 1) labels[i] += static_cast<int64_t>(i / 2 % 3);  // three that look the same
  EXPECT_THAT(said_of(task.with(column::kLabel, at::tensor(labels))),
              testing::HasSubstr("1 of the memory's 4 classes have samples that count as clean"));
  EXPECT_THAT(said_of(noisy()), testing::Not(testing::HasSubstr("count as clean")));
}

TEST(Robust, WarmUpEpochsArePlain) {
  const Switched plain{"er", {{"epochs", "4"}}},
      warming{"er", {{"epochs", "4"}, {"robust", "puridiver"}, {"robust.warmup", "4"}}};
  const auto a = make_learner(plain), b = make_learner(warming);
  for (Learner* learner : {a.get(), b.get()}) learn_task(*learner, halves(60, {0, 1, 2}, 1));
  EXPECT_THAT(differences(*a, *b), testing::IsEmpty());
}

TEST(Robust, IsRefusedWhereThereAreNoEpochsOverAMemory) {
  for (const char* method : {"finetune", "joint", "rm-offline", "icarl"})
    EXPECT_THROW(make_learner({method, {{"robust", "selfie"}}}), std::invalid_argument) << method;
  EXPECT_THROW(make_learner({"er", {{"robust", "selfie"}, {"train.protocol", "online"}}}),
               std::invalid_argument);
}

}  // namespace
}  // namespace perennial
