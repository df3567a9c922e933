// What every method keeps to, ours, the examples' and any that registers: see docs/own_learner.md.
#include <algorithm>
#include <set>

#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/threads.h"
#include "perennial/learn/plugin.h"
#include "perennial/memory/memory.h"
#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

using testing::IsEmpty;

class Conformance : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Methods, Conformance, testing::ValuesIn(all_methods()), [](const auto& param_info) {
  std::string name = param_info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

Samples first_task() { return halves(24, {0, 1}, 1); }
/// New classes come in the middle of it.
Samples second_task() { return concat(halves(12, {1, 0}, 1, 24), halves(18, {2, 3, 0}, 1, 36)); }

/// Robust training, the online protocol and more passes are not for every method, DropTop not for every
/// network.
bool is_refused(const Switched& what) {
  const std::string& option = what.options.empty() ? what.method : what.options.front().first;
  if (option != "robust" && option != "train.protocol" && option != "debias" && option != "train.passes")
    return false;
  try {
    make_learner(what);
    return false;
  } catch (const std::invalid_argument&) {
    return true;
  }
}

/// As it is, as released, and with each choice of each of its options that has choices.
std::vector<Switched> every_switch(const std::string& name) {
  std::vector<Switched> all{{name}, {name, {}, true}};
  for (const char* shared : {"train.reset_head", "train.drop_last"})
    all.push_back({name, {{shared, "true"}}});
  all.push_back({name, {{"train.passes", "3"}}});
  TrainOptions train;
  const auto own = find_method(name).options();
  OptionTable table;
  train.bind(table);
  own->bind(table);
  for (const Option& option : table.options()) {
    std::vector<std::string> values = option.choices();
    if (values.empty() && option.get() == "true") values = {"false"};
    if (values.empty() && option.get() == "false") values = {"true"};
    for (const std::string& value : values)
      if (value != option.get()) all.push_back({name, {{option.name(), value}, {"robust.warmup", "0"}}});
    // Online policies, offered samples at the end of the pass, as well.
    if (option.name().ends_with(".update"))
      for (const char* policy : {"reservoir", "balanced_reservoir"})
        all.push_back({name,
                       {{option.name().substr(0, option.name().find('.')) + ".policy", policy},
                        {option.name(), "after_pass"}}});
  }
  for (Switched& what : all)
    if (std::none_of(what.options.begin(), what.options.end(),
                     [](const auto& option) { return option.first == "epochs"; }))
      what.options.emplace_back("epochs", "2");
  std::erase_if(all, [](const Switched& what) { return is_refused(what); });
  return all;
}

/// A learner that can be put away and taken out again as another object.
class Reloaded {
 public:
  explicit Reloaded(const Switched& what, const LearnerSetup& setup = small_setup())
      : what_(what), setup_(setup), learner_(make_learner(what, setup)) {}
  Learner& operator*() { return *learner_; }
  Learner* operator->() { return learner_.get(); }
  void reload() {
    State state;
    learner_->save(state, "l.");
    const std::string bytes = encode_state(state);
    learner_ = make_learner(what_, setup_);
    learner_->load(decode_state(bytes, "memory"), "l.");
  }

 private:
  Switched what_;
  LearnerSetup setup_;
  std::unique_ptr<Learner> learner_;
};

/// Asks to stop at the n-th time that it is asked, then no more.
class StopsOnce : public Progress {
 public:
  explicit StopsOnce(int64_t n) : left_(n) {}
  bool stop_requested() const override { return left_-- == 0; }

 private:
  mutable int64_t left_;
};

void expect_equal(Learner& a, Learner& b) {
  EXPECT_THAT(differences(a, b), IsEmpty());
  if (a.memory() != nullptr) {
    EXPECT_EQ(a.memory()->samples(), b.memory()->samples());
    EXPECT_EQ(a.memory()->scores(), b.memory()->scores());
  }
}

TEST_P(Conformance, LearnsATaskAndKnowsOnlyLabelsItHasSeen) {
  const auto learner = make_learner({GetParam(), {{"epochs", "20"}}});
  learn_task(*learner, halves(200, {0, 2}, 1));
  EXPECT_GT(accuracy(*learner, halves(100, {0, 2}, 2, 1000)), 0.9);
  const at::Tensor p = learner->predict(halves(10, {0, 2}, 3));
  EXPECT_EQ(p.size(1), 4);
  EXPECT_EQ(p.select(1, 1).max().item<float>(), 0.0F);
  EXPECT_NEAR(p.sum().item<double>(), 10, 1e-4);
}

TEST_P(Conformance, StaysInsideItsMemory) {
  for (const char* budget : {"20", "700B"}) {
    LearnerSetup setup = small_setup();
    setup.memory = MemoryBudget::parse(budget);
    const auto learner = make_learner({GetParam()}, setup);
    for (int64_t task = 0; task < 3; ++task) {
      observe(*learner, halves(100, {0, 1, 2, 3}, 1, 100 * task), [&] {
        if (const Memory* memory = learner->memory()) {
          EXPECT_LE(memory->size(), setup.memory.bytes > 0 ? 100 : 20);
          EXPECT_TRUE(setup.memory.bytes == 0 || memory->bytes() <= setup.memory.bytes);
        }
      });
      Progress silent;
      while (learner->consolidate(silent)) {
      }
      if (learner->memory() == nullptr) continue;
      const Memory& memory = *learner->memory();
      EXPECT_TRUE(setup.memory.bytes == 0 ? memory.size() == 20 : memory.bytes() <= setup.memory.bytes);
      EXPECT_GT(memory.size(), 5);
      EXPECT_EQ(std::set<int64_t>(memory.ids().begin(), memory.ids().end()).size(), memory.ids().size());
      EXPECT_EQ(learner->candidate_bytes(), 0);
    }
  }
}

// Saved between any two calls and loaded into a fresh one, it ends bit-equal. New classes come at the
// beginning and in the middle of a task.
TEST_P(Conformance, SavedAnywhereGoesOnBitEqualWhateverItsSwitches) {
  Progress silent;
  for (const Switched& what : every_switch(GetParam())) {
    SCOPED_TRACE(what.text());
    const auto whole = make_learner(what);
    Reloaded broken(what);
    for (const Samples& task : {first_task(), second_task(), first_task()}) {
      learn_task(*whole, task);
      for (int64_t at = 0; at < task.size(); broken.reload()) at += observe_next(*broken, task, at);
      while (broken->consolidate(silent)) broken.reload();
      broken.reload();
    }
    expect_equal(*whole, *broken);
    if (HasFailure()) return;
  }
}

// Interrupted at any moment at which it asks, saved, loaded and called again.
TEST_P(Conformance, InterruptedAnywhereGoesOnBitEqual) {
  for (const Switched& what : {Switched{GetParam(), {{"epochs", "2"}}},
                               Switched{GetParam(), {{"train.passes", "2"}, {"epochs", "1"}}}}) {
    if (is_refused(what)) continue;
    SCOPED_TRACE(what.text());
    const auto whole = make_learner(what);
    for (const Samples& task : {first_task(), second_task()}) learn_task(*whole, task);
    for (int64_t n = 0; n < 12; ++n) {
      SCOPED_TRACE(n);
      Reloaded broken(what);
      for (const Samples& task : {first_task(), second_task()}) {
        observe(*broken, task);
        StopsOnce progress(n);
        for (bool more = true; more;) try {
            more = broken->consolidate(progress);
          } catch (const Interrupted&) {
            broken.reload();
          }
      }
      expect_equal(*whole, *broken);
    }
  }
}

TEST_P(Conformance, LearnsClassesThatAnUpdateBrings) {
  LearnerSetup setup = small_setup();
  setup.labels = 2;  // all that were known when it was made
  const auto learner = make_learner({GetParam(), {{"epochs", "20"}}}, setup);
  learn_task(*learner, halves(100, {0, 1}, 1));
  learn_task(*learner, halves(100, {2, 3}, 1, 100));
  const Samples test = halves(100, {2, 3}, 2, 1000);
  EXPECT_EQ(learner->predict(test).size(1), 4);
  EXPECT_GT(accuracy(*learner, test), 0.8);
}

// Threads of ours: libtorch adds up a product in another order when it has more of its own.
TEST_P(Conformance, ThreadCountsAndPredictionsChangeNothing) {
  const auto learned = [&](int threads, bool predict) {
    set_thread_count(threads);
    auto learner = make_learner({GetParam(), {{"epochs", "2"}}});
    for (const Samples& task : {first_task(), second_task()}) {
      observe(*learner, task, [&] {
        if (predict) learner->predict(task);
      });
      Progress silent;
      while (learner->consolidate(silent))
        if (predict) learner->predict(task);
    }
    return learner;
  };
  const auto one = learned(1, false), three = learned(3, true);
  set_thread_count(1);
  expect_equal(*one, *three);
}

/// Changes nothing, and counts what it sees; its count is state.
class Onlooker : public Plugin {
 public:
  explicit Onlooker(int64_t& maps) : maps_(maps) {}
  std::string name() const override { return "onlooker"; }
  at::Tensor feature_map(const Passage&, at::Tensor map) override {
    ++maps_;
    return map;
  }
  void after_step(const Surroundings&) override { ++steps_; }
  void save(State& state, const std::string& prefix) const override { state.put(prefix + "steps", steps_); }
  void load(const State& state, const std::string& prefix) override {
    steps_ = state.value<int64_t>(prefix + "steps");
  }

 private:
  int64_t& maps_;
  int64_t steps_ = 0;
};

TEST_P(Conformance, APluginSeesTheMapsAndAnIdleOneChangesNothing) {
  const Switched what{GetParam(), {{"epochs", "2"}}};
  int64_t maps = 0, steps = 0;
  LearnerSetup wrapped = small_setup();
  wrapped.plugins = {[&](const LearnerSetup&) { return std::make_unique<Onlooker>(maps); }};
  wrapped.on_step = [&](const TrainingStep&) { ++steps; };
  const auto plain = make_learner(what);
  Reloaded watched(what, wrapped);
  for (const Samples& task : {first_task(), second_task()}) {
    learn_task(*plain, task);
    learn_task(*watched, task);
    watched.reload();
  }
  expect_equal(*plain, *watched);
  EXPECT_EQ(maps % 2, 0);  // two stages
  EXPECT_GE(maps, 2 * steps);
  State state;
  watched->save(state, "l.");
  EXPECT_EQ(state.value<int64_t>("l.plugin.onlooker.steps"), steps);
}

TEST_P(Conformance, SaysOfEachPieceWhatItIs) {
  const auto learner = make_learner({GetParam()});
  for (int64_t i = 0; i < learner->pieces(); ++i) {
    EXPECT_FALSE(learner->piece_name(i).empty());
    EXPECT_LE(learner->epoch_of(i), learner->pieces());
  }
}

}  // namespace
}  // namespace perennial
