#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/data/stream.h"
#include "tests/base/temporary_folder.h"
#include "tests/data/fixture.h"

namespace perennial {
namespace {

using testing::toy_set;

StreamOptions noise_of(const std::string& noise, const std::string& pairs = "") {
  StreamOptions options;
  options.noise = noise, options.noise_pairs = pairs;
  return options;
}

/// Share of the samples of class `from` that arrive as `to`.
double rate(const Dataset& set, int64_t from, int64_t to) {
  double all = 0, hits = 0;
  for (size_t i = 0; i < set.labels.size(); ++i)
    if (set.true_labels[i] == from) all += 1, hits += set.labels[i] == to ? 1 : 0;
  return hits / all;
}

class NoiseFile : public ::testing::Test {
 protected:
  void write(const std::string& text) { write_file_atomic(path_, text); }
  StreamOptions options() const { return noise_of("file:" + path_.string()); }
  void refused(const std::string& text, const std::string& because) {
    write(text);
    Dataset set = toy_set(2, 2);
    const auto before = set.labels;
    try {
      apply_noise(options(), 1, set);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(because), std::string::npos) << e.what();
    }
    EXPECT_EQ(set.labels, before);
    EXPECT_TRUE(set.true_labels.empty());
  }
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "labels.csv";
};

TEST(Noise, NoneChangesNothing) {
  Dataset set = toy_set(3, 5);
  const auto labels = set.labels;
  apply_noise(noise_of("none"), 1, set);
  EXPECT_EQ(set.labels, labels);
  EXPECT_TRUE(set.true_labels.empty());
}

TEST(Noise, SymmetricSpreadsOverTheOtherClasses) {
  Dataset set = toy_set(5, 20000);
  const auto truth = set.labels;
  apply_noise(noise_of("sym:0.4"), 9, set);
  EXPECT_EQ(set.true_labels, truth);
  for (int64_t from = 0; from < 5; ++from)
    for (int64_t to = 0; to < 5; ++to)
      EXPECT_NEAR(rate(set, from, to), from == to ? 0.6 : 0.1, 0.015) << from << to;
}

TEST(Noise, AsymmetricFlipsWithinPairsBothWays) {
  Dataset set = toy_set(5, 20000);
  const auto partner = noise_partners("", 9, set.class_names);
  apply_noise(noise_of("asym:0.3"), 9, set);
  for (int64_t c = 0; c < 5; ++c) {
    const int64_t p = partner[static_cast<size_t>(c)];
    EXPECT_NEAR(rate(set, c, p), p == c ? 1.0 : 0.3, 0.015);
    EXPECT_DOUBLE_EQ(rate(set, c, c) + (p == c ? 0.0 : rate(set, c, p)), 1.0);
  }
}

TEST(Noise, OneAndZeroAreExact) {
  Dataset set = toy_set(4, 50);
  apply_noise(noise_of("sym:1"), 1, set);
  for (size_t i = 0; i < set.labels.size(); ++i) EXPECT_NE(set.labels[i], set.true_labels[i]);
  set = toy_set(4, 50);
  apply_noise(noise_of("sym:0"), 1, set);
  EXPECT_EQ(set.labels, set.true_labels);
}

RC_GTEST_PROP(Noise, PartnersAreAnInvolution, ()) {
  const auto classes = *rc::gen::inRange<int64_t>(1, 40);
  const Dataset set = toy_set(classes, 1);
  const auto partner = noise_partners("", *rc::gen::arbitrary<uint64_t>(), set.class_names);
  int64_t alone = 0;
  for (int64_t c = 0; c < classes; ++c) {
    RC_ASSERT(partner[static_cast<size_t>(partner[static_cast<size_t>(c)])] == c);
    alone += partner[static_cast<size_t>(c)] == c ? 1 : 0;
  }
  RC_ASSERT(alone == classes % 2);
}

RC_GTEST_PROP(Noise, OfASampleDependsOnSeedAndIdAlone, ()) {
  const auto seed = *rc::gen::arbitrary<uint64_t>();
  const auto kind = *rc::gen::element<std::string>("sym:0.5", "asym:0.5");
  Dataset whole = toy_set(4, 20), reversed = whole;
  std::reverse(reversed.labels.begin(), reversed.labels.end());
  std::reverse(reversed.ids.begin(), reversed.ids.end());
  apply_noise(noise_of(kind), seed, whole);
  apply_noise(noise_of(kind), seed, reversed);
  std::reverse(reversed.labels.begin(), reversed.labels.end());
  RC_ASSERT(whole.labels == reversed.labels);
}

TEST(Noise, NamedPairsMayHoldDashes) {
  const std::vector<std::string> names{"cat", "dog", "t-shirt", "polo-shirt", "bag"};
  EXPECT_EQ(noise_partners("dog-cat, t-shirt-polo-shirt", 1, names), (std::vector<int64_t>{1, 0, 3, 2, 4}));
  for (const char* wrong : {"cat", "cat-cat", "cat-dog,dog-bag", "cat-horse", "-"})
    EXPECT_THROW(noise_partners(wrong, 1, names), std::invalid_argument) << wrong;
}

TEST(Noise, OneWayFlipsLeaveTheOtherClassAlone) {
  const std::vector<std::string> names{"airplane", "automobile", "bird",  "cat",  "deer",
                                       "dog",      "frog",       "horse", "ship", "truck"};
  const std::vector<int64_t> usual{0, 1, 0, 5, 7, 3, 6, 7, 8, 1};
  EXPECT_EQ(noise_partners("cifar10", 1, names), usual);
  EXPECT_EQ(noise_partners("truck>automobile, bird>airplane,deer>horse,cat>dog,dog>cat", 1, names), usual);
  EXPECT_EQ(noise_partners("ship>frog", 1, names), (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 6, 9}));
  for (const char* wrong : {"ship>frog,ship>cat", "ship>", "ship>ship", "ship>frog,ship-cat", "a>b"})
    EXPECT_THROW(noise_partners(wrong, 1, names), std::invalid_argument) << wrong;
  Dataset set = toy_set(2, 500);
  StreamOptions options = noise_of("asym:0.4");
  options.noise_pairs = "class a>class b";
  apply_noise(options, 1, set);
  int64_t flipped = 0;
  for (size_t i = 0; i < set.labels.size(); ++i) {
    if (set.true_labels[i] == 1) {
      EXPECT_EQ(set.labels[i], 1);
    }
    flipped += set.labels[i] != set.true_labels[i];
  }
  EXPECT_NEAR(static_cast<double>(flipped), 200, 45);  // 4 standard deviations
}

TEST(Noise, RefusesWhatIsNoNoise) {
  Dataset set = toy_set(2, 2);
  for (const char* wrong : {"sym", "sym:", "sym:1.5", "sym:-0.1", "asym:x", "file:", "symmetric:0.2"})
    EXPECT_THROW(apply_noise(noise_of(wrong), 1, set), std::invalid_argument) << wrong;
  Dataset one = toy_set(1, 2);
  EXPECT_THROW(apply_noise(noise_of("sym:0.1"), 1, one), std::invalid_argument);
}

TEST_F(NoiseFile, GivesOneLabelPerLineByNameOrNumber) {
  write("class b\r\n1\n\"class a\"\n0\n\n");
  Dataset set = toy_set(2, 2);
  apply_noise(options(), 1, set);
  EXPECT_EQ(set.labels, (std::vector<int64_t>{1, 1, 0, 0}));
  EXPECT_EQ(set.true_labels, (std::vector<int64_t>{0, 1, 0, 1}));
}

TEST_F(NoiseFile, GivesLabelsByIdWithOrWithoutHeader) {
  for (const char* header : {"id,label\n", ""}) {
    write(header + std::string("9223372036854775807,class a\n1000,1\n"));
    Dataset set = toy_set(2, 2);
    set.ids[3] = 9223372036854775807;
    apply_noise(options(), 1, set);
    EXPECT_EQ(set.labels, (std::vector<int64_t>{1, 1, 0, 0}));
  }
}

TEST_F(NoiseFile, NumbersAreNamesWhereClassesAreNumbered) {
  write("3\n1\n3\n1\n");
  Dataset set = toy_set(2, 2);
  set.class_names = {"1", "3"};
  apply_noise(options(), 1, set);
  EXPECT_EQ(set.labels, (std::vector<int64_t>{1, 0, 1, 0}));
  write("0\n1\n0\n1\n");
  EXPECT_THROW(apply_noise(options(), 1, set), Error);
}

TEST_F(NoiseFile, RefusesWhatDoesNotFitWithItsLine) {
  refused("0\n1\n0\n", "3 lines");
  refused("0\n1\n0\n2\n", "line 4");
  refused("0\n1\nclass z\n0\n", "class z");
  refused("id,label\n1000,0\n1000,1\n", "line 3");
  refused("id,label\n77,0\n", "line 2");
  refused("id,label\n1000\n", "line 2");
  refused("", "0 lines");
}

}  // namespace
}  // namespace perennial
