#include <cmath>
#include <set>

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/memory/memory.h"
#include "perennial/nn/schedule.h"
#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const Method& m : methods()) names.push_back(m.name);
  return names;
}

class EveryLearner : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Methods, EveryLearner, testing::ValuesIn(all_names()), [](const auto& param_info) {
  std::string name = param_info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST_P(EveryLearner, LearnsATaskAndKnowsOnlyLabelsItHasSeen) {
  LearnerSetup setup = small_setup();
  setup.train.epochs = 20;
  const auto learner = make_learner(GetParam(), setup);
  learn_task(*learner, halves(200, {0, 2}, 1));
  EXPECT_GT(accuracy(*learner, halves(100, {0, 2}, 2, 1000)), 0.9);
  const at::Tensor p = learner->predict(halves(10, {0, 2}, 3));
  EXPECT_EQ(p.size(1), 4);
  EXPECT_EQ(p.select(1, 1).max().item<float>(), 0.0F);
  EXPECT_NEAR(p.sum().item<double>(), 10, 1e-4);
}

TEST_P(EveryLearner, StaysInsideItsMemory) {
  const auto learner = make_learner(GetParam());
  for (int64_t task = 0; task < 3; ++task) {
    learn_task(*learner, halves(100, {0, 1, 2, 3}, 1, 100 * task));
    if (learner->memory() == nullptr) continue;
    EXPECT_EQ(learner->memory()->size(), 20);
    EXPECT_EQ(std::set<int64_t>(learner->memory()->samples().ids().begin(),
                                learner->memory()->samples().ids().end())
                  .size(),
              20U);
    EXPECT_EQ(learner->candidate_bytes(), 0);
  }
}

/// A learner with its switches, the shared ones ("train.reset_head") and its own ("rm.policy").
struct Switched {
  std::string learner;
  std::vector<std::pair<std::string, std::string>> options;
  bool as_released = false;
};

std::unique_ptr<Learner> make(const Switched& what, LearnerSetup setup = small_setup()) {
  const Method& method = find_method(what.learner);
  const auto own = method.options();
  own->adjust(setup.train);
  OptionTable table;
  setup.train.bind(table);
  own->bind(table);
  table.set("epochs", "2");
  if (what.as_released) table.set_as_released();
  for (const auto& [name, value] : what.options) table.set(name, value);
  return method.make(setup, *own);
}

// Every learner: as it is, as released, and with each choice of each of its options that has choices.
std::vector<Switched> every_switch() {
  std::vector<Switched> all;
  for (const Method& method : methods()) {
    all.push_back({method.name, {}});
    all.push_back({method.name, {}, true});
    for (const char* name : {"train.reset_head", "train.drop_last"})
      all.push_back({method.name, {{name, "true"}}});
    TrainOptions train;
    const auto own = method.options();
    OptionTable table;
    train.bind(table);
    own->bind(table);
    for (const Option& option : table.options()) {
      std::vector<std::string> values = option.choices();
      if (values.empty() && option.get() == "true") values = {"false"};
      if (values.empty() && option.get() == "false") values = {"true"};
      for (const std::string& value : values)
        if (value != option.get()) all.push_back({method.name, {{option.name(), value}}});
    }
  }
  // A policy that chooses as samples arrive, where the learner keeps the task's samples for itself.
  for (const char* update : {"arrival", "after_pass"})
    all.push_back({"rm-offline", {{"rm.policy", "reservoir"}, {"rm.update", update}}});
  all.push_back({"gdumb", {{"gdumb.policy", "reservoir"}, {"gdumb.update", "after_pass"}}, true});
  return all;
}

// Saved between any two calls and loaded into a fresh one, it ends bit-equal. New classes come at the
// beginning and in the middle of a task.
void expect_to_go_on_bit_equal(const Switched& what) {
  Progress silent;
  const Samples first = halves(24, {0, 1}, 1),
                second = concat(halves(12, {1, 0}, 1, 24), halves(18, {2, 3, 0}, 1, 36));
  const auto whole = make(what);
  auto broken = make(what);
  const auto reload = [&] {
    State state;
    broken->save(state, "l.");
    broken = make(what);
    broken->load(decode_state(encode_state(state), "memory"), "l.");
  };
  for (const Samples& task : {first, second, first}) {
    learn_task(*whole, task);
    for (int64_t at = 0; at < task.size();) {
      const int64_t n = std::min(broken->wanted(), task.size() - at);
      std::vector<int64_t> rows(n);
      for (int64_t i = 0; i < n; ++i) rows[i] = at + i;
      broken->observe(take(task, rows));
      at += n;
      reload();
    }
    while (broken->consolidate(silent)) reload();
    reload();
  }
  const TensorFile a = whole->model(), b = broken->model();
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (const auto& [name, tensor] : a.tensors) EXPECT_TRUE(at::equal(tensor, b.tensors.at(name))) << name;
  if (whole->memory() != nullptr) {
    EXPECT_EQ(whole->memory()->samples().ids(), broken->memory()->samples().ids());
  }
}

TEST(EverySwitch, SavedAnywhereGoesOnBitEqual) {
  for (const Switched& what : every_switch()) {
    std::string name = what.learner + (what.as_released ? " as released" : "");
    for (const auto& [option, value] : what.options) name += " " + option + "=" + value;
    SCOPED_TRACE(name);
    expect_to_go_on_bit_equal(what);
    if (testing::Test::HasFailure()) return;
  }
}

/// The rate of every step that a learner takes in its consolidations of tasks of 40 samples.
std::vector<double> rates(const std::string& learner, const std::string& schedule, int64_t epochs,
                          int tasks) {
  std::vector<double> all;
  LearnerSetup setup = small_setup();
  setup.on_step = [&](const TrainingStep& step) { all.push_back(step.lr); };
  const auto built = make(
      {learner,
       {{"train.schedule", schedule}, {"epochs", std::to_string(epochs)}, {"train.stream_lr_factor", "0"}}},
      setup);
  for (int task = 0; task < tasks; ++task) learn_task(*built, halves(40, {0, 1}, 1, 40 * task));
  std::erase(all, 0.0);  // the stream pass
  return all;
}

// What the trainer asks of a schedule, over all epochs and steps: a learner of 20 samples in memory takes
// three steps of 8 an epoch, one of a task's 40 samples three of 16.
TEST(Schedule, OfEveryLearnerGoesOnceThroughAPhase) {
  for (const auto& [learner, steps] : std::vector<std::pair<std::string, int64_t>>{
           {"er", 3}, {"rm", 3}, {"ewc", 3}, {"finetune", 3}, {"rm-offline", 3}}) {
    constexpr int64_t kEpochs = 35;
    for (const char* schedule :
         {"cosine", "warm_restarts", "rainbow_warm_restarts", "multistep", "constant"}) {
      const auto got = rates(learner, schedule, kEpochs, 1);
      ASSERT_EQ(got.size(), static_cast<size_t>(kEpochs * steps)) << learner << " " << schedule;
      for (int64_t epoch = 0; epoch < kEpochs; ++epoch)
        for (int64_t step = 0; step < steps; ++step) {
          const double share = static_cast<double>(epoch * steps + step) / (kEpochs * steps);
          const std::map<std::string, double> expected{
              {"cosine", 0.05 * (1 + std::cos(M_PI * share)) / 2},
              {"warm_restarts", warm_restarts(0.05, epoch)},
              {"rainbow_warm_restarts", rainbow_warm_restarts(0.05, epoch)},
              {"multistep", epoch == 0    ? 0.005
                            : epoch <= 30 ? 0.05
                                          : 0.005},
              {"constant", 0.05}};
          EXPECT_NEAR(got[epoch * steps + step], expected.at(schedule), 1e-9)
              << learner << " " << schedule << " epoch " << epoch << " step " << step;
        }
    }
  }
}

TEST(Schedule, BeginsAnewAtEachTask) {
  const auto got = rates("rm", "cosine", 4, 2);
  ASSERT_EQ(got.size(), 24U);
  for (size_t i = 0; i < 12; ++i) EXPECT_EQ(got[i], got[i + 12]);
}

TEST(Learners, SayWhichOfTheirPiecesAreEpochs) {
  for (const auto& [name, first, last] : {std::tuple("rm", 0, 2),
                                          {"er", 0, 2},
                                          {"gdumb", 0, 2},
                                          {"finetune", 1, 2},
                                          {"joint", 1, 2},
                                          {"rm-offline", 1, 0}}) {
    const auto learner = make({name, {}});
    EXPECT_EQ(learner->epoch_of(0), first) << name;
    EXPECT_EQ(learner->epoch_of(learner->pieces() - 1), last) << name;
  }
}

TEST(ExperienceReplay, AsReleasedTheReservoirIsFilledAfterTheStreamPass) {
  const auto during = make({"er", {}}), after = make({"er", {{"er.update", "after_pass"}}});
  const Samples task = halves(40, {0, 1}, 1);
  for (const auto& learner : {during.get(), after.get()}) learner->observe(slice(task, 0, 16));
  EXPECT_EQ(during->memory()->size(), 16);
  EXPECT_EQ(after->memory()->size(), 0);
  for (const auto& learner : {during.get(), after.get()}) learn_task(*learner, slice(task, 16, 24));
  EXPECT_EQ(during->memory()->samples().ids(),
            after->memory()->samples().ids());  // the same reservoir, later
}

TEST(Gdumb, TrainsWithCutMixWhereAugmentationIsAutomatic) {
  const auto weights = [](const std::string& augment) {
    LearnerSetup setup = small_setup();
    setup.is_digits = false;
    const auto learner = make({"gdumb", {{"train.augment", augment}}}, setup);
    learn_task(*learner, halves(40, {0, 1}, 1));
    return learner->model().tensors.at("head.weight").clone();
  };
  EXPECT_TRUE(at::equal(weights("auto"), weights("crop,flip,cutmix")));
  EXPECT_FALSE(at::equal(weights("auto"), weights("crop,flip")));
}

double kept_accuracy(const std::string& name) {
  LearnerSetup setup = small_setup();
  setup.train.epochs = 10;
  const auto learner = make_learner(name, setup);
  learn_task(*learner, halves(200, {0, 1}, 1));
  learn_task(*learner, halves(200, {2, 3}, 1, 200));
  return accuracy(*learner, halves(100, {0, 1}, 2, 1000));
}

TEST(Forgetting, FineTuningForgetsAndMemoryDoesNot) {
  EXPECT_LT(kept_accuracy("finetune"), 0.3);
  for (const char* name : {"er", "ewc", "gdumb", "joint", "rm", "rm-offline"})
    EXPECT_GT(kept_accuracy(name), 0.7) << name;
}

TEST(RainbowMemory, ScoresItsMemoryByVariationRatio) {
  const auto learner = make_learner("rm", small_setup(), {{"rm.views", "12"}});
  learn_task(*learner, halves(100, {0, 1, 2, 3}, 1));
  const auto& scores = learner->memory()->scores();
  ASSERT_EQ(scores.size(), 20U);
  for (const float u : scores) EXPECT_NEAR(u * 12, std::round(u * 12), 1e-4);  // votes of 12 views
}

TEST(RainbowMemory, FirstTaskRandomIsASwitch) {
  const auto ids = [](const char* first_random) {
    const auto learner = make_learner("rm", small_setup(), {{"rm.first_task_random", first_random}});
    learn_task(*learner, halves(100, {0, 1, 2, 3}, 1));
    return std::pair(learner->memory()->samples().ids(), learner->memory()->scores().empty());
  };
  EXPECT_NE(ids("true").first, ids("false").first);
  EXPECT_TRUE(ids("true").second);
  EXPECT_FALSE(ids("false").second);
}

TEST(RainbowMemory, HalfOfEachStreamBatchIsReplayed) {
  const auto learner = make_learner("rm");
  EXPECT_EQ(learner->wanted(), 16);  // nothing to replay yet
  learn_task(*learner, halves(100, {0, 1}, 1));
  EXPECT_EQ(learner->wanted(), 8);
}

TEST(Ewc, PenaltyHoldsBackTheWeightsThatMattered) {
  // sum_i F_i (theta_i - theta*_i)^2, the quantity that the penalty weighs.
  const auto weighted_movement = [](const char* lambda) {
    LearnerSetup setup = small_setup();
    setup.train.stream_lr_factor = 0.1;  // such a penalty is stiff: at the full rate it diverges
    const auto learner = make_learner("ewc", setup, {{"ewc.lambda", lambda}});
    learn_task(*learner, halves(100, {0, 1}, 1));
    State before, after;
    learner->save(before, "");
    for (auto& [name, tensor] : before.tensors) tensor = tensor.clone();
    learn_task(*learner, halves(100, {2, 3}, 1, 100));
    learner->save(after, "");
    double sum = 0;
    for (int i = 0; before.has_tensor("fisher." + std::to_string(i)); ++i) {
      const std::string n = std::to_string(i);
      const at::Tensor moved = after.tensor("anchor." + n) - before.tensor("anchor." + n);
      sum += (before.tensor("fisher." + n) * moved.square()).sum().item<double>();
    }
    return sum;
  };
  // Batch normalisation makes this net insensitive to most of its weights: the information is small, so
  // lambda is large.
  EXPECT_LT(weighted_movement("1000000"), 0.6 * weighted_movement("0.000001"));
}

TEST(Gdumb, StartsFromScratchAtEveryBoundary) {
  // What was learned from the stream before does not matter: only the memory does.
  LearnerSetup setup = small_setup();
  setup.train.epochs = 0;
  const auto learner = make_learner("gdumb", setup);
  learn_task(*learner, halves(100, {0, 1}, 1));
  const at::Tensor first = learner->model().tensors.at("backbone.fc1.weight").clone();
  learn_task(*learner, halves(100, {0, 1}, 1));
  EXPECT_FALSE(at::equal(first, learner->model().tensors.at("backbone.fc1.weight")));
}

TEST(Train, ResetHeadIsASwitch) {
  const auto head_change = [](bool reset) {
    LearnerSetup setup = small_setup();
    setup.train.reset_head = reset;
    setup.train.epochs = 0;
    setup.train.stream_lr_factor = 0;
    const auto learner = make_learner("er", setup);
    learn_task(*learner, halves(40, {0, 1}, 1));
    const at::Tensor before = learner->model().tensors.at("head.weight").clone();
    learn_task(*learner, halves(40, {0, 1}, 1));
    return (learner->model().tensors.at("head.weight") - before).norm().item<double>();
  };
  EXPECT_EQ(head_change(false), 0.0);
  EXPECT_GT(head_change(true), 0.1);
}

TEST(Methods, UnknownNameSuggestsTheNearest) {
  try {
    find_method("ewcc");
    FAIL();
  } catch (const std::invalid_argument& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("did you mean 'ewc'"));
  }
}

TEST(Methods, ANameIsTakenOnce) { EXPECT_THROW(register_method(find_method("rm")), std::invalid_argument); }

}  // namespace
}  // namespace perennial
