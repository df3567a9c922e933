#include "perennial/learn/droptop.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/random.h"
#include "perennial/learn/method.h"
#include "perennial/memory/memory.h"
#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

/// Pictures of two classes, told apart by their halves; those of class 1 have a bright corner besides.
LearnerSetup small_resnet() {
  LearnerSetup setup = small_setup();
  setup.model = {.name = "resnet20", .width = 0.25};
  setup.input_shape = {1, 8, 8};
  return setup;
}

Samples pictures(int64_t n, uint64_t seed, int64_t first_id = 0) {
  const Samples small = halves(n, {0, 1, 2, 3}, seed, first_id);
  const at::Tensor& images = small.tensor(column::kImage);
  return small.with(column::kImage, images.repeat_interleave(2, 2).repeat_interleave(2, 3).contiguous());
}

std::vector<std::string> trained_apart(const std::vector<std::pair<std::string, std::string>>& options,
                                       const std::string& method = "er") {
  Switched what{method, {{"epochs", "1"}}};
  const auto plain = make_learner(what, small_resnet());
  what.options.insert(what.options.end(), options.begin(), options.end());
  const auto dropped = make_learner(what, small_resnet());
  for (Learner* learner : {plain.get(), dropped.get()}) learn_task(*learner, pictures(48, 1));
  return differences(*plain, *dropped);
}

at::Tensor ramp(int64_t n, int64_t side) {
  at::Tensor a = at::zeros({n, side, side});
  auto* values = a.mutable_data_ptr<float>();
  for (int64_t i = 0; i < a.numel(); ++i) values[i] = static_cast<float>(i % (side * side));
  return a;
}

TEST(DropTop, DropsWhereAttentionIsHighestAndAtRandomUpToGamma) {
  const at::Tensor mask = DropTop::mask(ramp(3, 10), 0.04, 0.1, {1, 2, 3}, 1, 0);
  EXPECT_EQ(mask.numel() - mask.sum().item<int64_t>(), 3 * 10);
  for (int64_t i = 0; i < 3; ++i)
    for (int64_t p = 96; p < 100; ++p) EXPECT_EQ(mask[i].flatten()[p].item<float>(), 0) << i << " " << p;
  EXPECT_FALSE(at::equal(mask[0], mask[1]));  // the random ones are others
  EXPECT_TRUE(at::equal(mask, DropTop::mask(ramp(3, 10), 0.04, 0.1, {1, 2, 3}, 1, 0)));
}

TEST(DropTop, ASmallKappaActsAsOftenAsItSays) {
  int64_t dropped = 0;
  for (uint64_t step = 0; step < 2000; ++step)
    dropped += DropTop::mask(ramp(1, 7), 0.005, 0.005 * 2, {1}, 1, step)[0][6][6].item<float>() == 0 ? 1 : 0;
  EXPECT_EQ(dropped, 0);  // round(gamma n) is none here: nothing may be dropped
  dropped = 0;
  for (uint64_t step = 0; step < 2000; ++step)
    dropped += DropTop::mask(ramp(1, 7), 0.005, 0.03, {1}, 1, step)[0][6][6].item<float>() == 0 ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(dropped) / 2000, 0.245 + 0.755 / 49, 0.04);  // 0.005 x 49, or by chance
}

TEST(DropTop, AttentionIsFusedOfLowAndHighMaps) {
  at::Tensor low = at::zeros({1, 2, 4, 4}), high = at::zeros({1, 3, 2, 2});
  low[0][0][0][0].fill_(-5);
  high[0][1][1][1].fill_(7);
  const auto at_corner = [&](const char* fusion, int64_t y, int64_t x) {
    return DropTop::attention(low, high, fusion)[0][y][x].item<double>();
  };
  EXPECT_EQ(at_corner("low", 0, 0), 1);
  EXPECT_EQ(at_corner("low", 3, 3), 0);
  EXPECT_EQ(at_corner("high", 3, 3), 1);
  EXPECT_EQ(at_corner("sum", 0, 0), 0.5);
  EXPECT_EQ(at_corner("sum", 3, 3), 0.5);
  EXPECT_EQ(at_corner("product", 0, 0), 0);
}

TEST(DropTop, WithoutADropItIsTheHostBitForBit) {
  for (const char* host : {"er", "er-ace", "derpp", "mir", "rm"})
    EXPECT_THAT(trained_apart({{"debias", "droptop"}, {"droptop.gamma", "0"}}, host), testing::IsEmpty())
        << host;
  EXPECT_FALSE(trained_apart({{"debias", "droptop"}}).empty());
}

// So small a gamma drops no position; the look at later stages is made all the same.
TEST(DropTop, TheLookAheadLeavesTheStatisticsAlone) {
  EXPECT_THAT(trained_apart({{"debias", "droptop"}, {"droptop.gamma", "0.001"}, {"droptop.kappa", "0.0001"}}),
              testing::IsEmpty());
}

TEST(DropTop, KappaMovesWhereTheLossFallsFaster) {
  const auto after = [](double gain_low, double gain_high, const char* way) {
    DebiasOptions o;
    o.name = "droptop";
    TwoValues values(0.02, 0.9, 1 / 0.9, 0.9, 10, 0.05);
    values.may_move(std::string(way) != "decrease", std::string(way) != "increase");
    for (int i = 0; i < 40; ++i) {
      const bool high = values.value() == values.high();
      values.brought((high ? gain_high : gain_low) + 0.01 * (i % 3));
    }
    return std::pair(values.low(), values.high());
  };
  EXPECT_LT(after(1, 0.5, "both").second, 0.02 / 0.9);
  EXPECT_GT(after(0.5, 1, "both").second, 0.02 / 0.9);
  EXPECT_LE(after(0.5, 1, "both").second, 0.05);
  EXPECT_EQ(after(1, 0.5, "increase").second, 0.02 / 0.9);
  EXPECT_EQ(after(0.5, 1, "decrease").second, 0.02 / 0.9);
}

TEST(DropTop, GoesOnFromASavedState) {
  const Switched what{"er", {{"epochs", "1"}, {"debias", "droptop"}, {"droptop.length", "2"}}};
  const auto whole = make_learner(what, small_resnet());
  auto broken = make_learner(what, small_resnet());
  const Samples task = pictures(96, 1);
  Progress silent;
  for (int64_t at = 0; at < task.size();) {
    const int64_t next = observe_next(*whole, task, at);
    observe_next(*broken, task, at);
    at += next;
    State state;
    broken->save(state, "l.");
    broken = make_learner(what, small_resnet());
    broken->load(decode_state(encode_state(state), "memory"), "l.");
  }
  EXPECT_THAT(differences(*whole, *broken), testing::IsEmpty());
}

TEST(DropTop, IsRefusedWhereThereAreNoMaps) {
  EXPECT_THROW(make_learner({"er", {{"debias", "droptop"}}}), std::invalid_argument);
  EXPECT_THROW(make_learner({"er", {{"debias", "droptop"}, {"droptop.layer", "layer9"}}}, small_resnet()),
               std::invalid_argument);
}

}  // namespace
}  // namespace perennial
