#include "edge/ncm.h"

#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "edge/compile/compile.h"
#include "edge/files.h"
#include "edge/perennial_edge.h"
#include "edge/perennial_edge.hpp"
#include "tests/base/temporary_folder.h"
#include "tests/edge/naive.h"

namespace perennial::edge {
namespace {

constexpr ClassMeans::Source kSource{77, 1, 5};
constexpr uint64_t kRoom = 1 << 16;
using Floats = std::vector<float>;

Floats any_features(std::mt19937& random) {
  std::normal_distribution<float> one;
  Floats f(kSource.features);
  for (float& v : f) v = one(random);
  return f;
}

std::string error_of(const std::vector<std::byte>& bytes, const ClassMeans::Source& source = kSource,
                     uint64_t most = kRoom) {
  try {
    ClassMeans::decode(bytes, source, most, "s");
  } catch (const BadModel& e) {
    return e.what();
  }
  return "";
}

// Random learning, forgetting, saving and loading, beside a map of plain sums.
RC_GTEST_PROP(ClassMeans, IsTheMeanOfUnitVectors, (uint32_t seed)) {
  std::mt19937 random(seed);
  ClassMeans means(kSource, kRoom);
  std::vector<std::pair<std::string, std::vector<Floats>>> plain;
  const auto named = [&](const std::string& name) {
    return std::find_if(plain.begin(), plain.end(), [&](const auto& c) { return c.first == name; });
  };
  for (int step = 0; step < 60; ++step) {
    const std::string name = "class " + std::to_string(random() % 6);
    if (random() % 6 == 0) {
      const auto found = named(name);
      RC_ASSERT(means.forget(name) == (found != plain.end()));
      if (found != plain.end()) plain.erase(found);
    } else {
      const Floats f = any_features(random);
      means.learn(name, f);
      if (named(name) == plain.end()) plain.push_back({name, {}});
      named(name)->second.push_back(f);
    }
    if (random() % 5 == 0) {
      const auto bytes = means.encode();
      RC_ASSERT(bytes.size() == means.bytes());
      means = ClassMeans::decode(bytes, kSource, kRoom, "s");
      RC_ASSERT(means.encode() == bytes);
    }
  }
  RC_ASSERT(means.size() == plain.size());
  const Floats query = any_features(random);
  Floats similarities(means.size());
  const size_t best = means.nearest(query, similarities);
  for (size_t c = 0; c < plain.size(); ++c) {
    RC_ASSERT(means.name(c) == plain[c].first);
    RC_ASSERT(means.examples(c) == plain[c].second.size());
    std::vector<double> sum(kSource.features);
    const auto length = [](const auto& v) {
      double squares = 0;
      for (const double x : v) squares += x * x;
      return std::sqrt(squares);
    };
    for (const Floats& f : plain[c].second)
      for (size_t i = 0; i < f.size(); ++i) sum[i] += f[i] / length(f);
    double dot = 0;
    for (size_t i = 0; i < sum.size(); ++i) dot += sum[i] * query[i];
    RC_ASSERT(std::abs(dot / length(sum) / length(query) - similarities[c]) < 1e-3);
    RC_ASSERT(similarities[c] <= similarities[best]);
  }
}

TEST(ClassMeans, RefusesWhatIsNoExample) {
  ClassMeans means(kSource, kRoom);
  EXPECT_THROW(means.learn("a", Floats(5, 0.0F)), std::invalid_argument);
  EXPECT_THROW(means.learn("a", Floats(5, NAN)), std::invalid_argument);
  EXPECT_THROW(means.learn("a", Floats(4, 1.0F)), std::invalid_argument);
  EXPECT_THROW(means.learn("", Floats(5, 1.0F)), std::invalid_argument);
  EXPECT_THROW(means.learn(std::string(256, 'x'), Floats(5, 1.0F)), std::invalid_argument);
  EXPECT_EQ(means.size(), 0U);
  EXPECT_EQ(means.nearest(Floats(5, 1.0F)), 0U);
}

TEST(ClassMeans, HoldsNoMoreThanItsBytes) {
  ClassMeans means(kSource, 56 + 2 * (8 + 20 + 2));
  means.learn("a", Floats(5, 1.0F));
  means.learn("b", Floats(5, 1.0F));
  try {
    means.learn("c", Floats(5, 1.0F));
    FAIL();
  } catch (const std::invalid_argument& e) {
    EXPECT_STREQ(e.what(), "no room for class c: 2 classes take 116 of 116 bytes");
  }
  means.learn("b", Floats(5, 1.0F));
  EXPECT_TRUE(means.forget("a"));
  means.learn("c", Floats(5, 1.0F));
  EXPECT_EQ(means.encode().size(), 116U);
}

TEST(ClassMeans, SaysWhatIsWrongWithAFile) {
  ClassMeans means(kSource, kRoom);
  means.learn("a", Floats(5, 1.0F));
  const auto good = means.encode();
  EXPECT_EQ(error_of(good), "");
  EXPECT_EQ(error_of({}), "s: expected learned classes, found a file of 0 bytes");
  EXPECT_EQ(error_of(good, kSource, 60), "s: expected at most 60 bytes, found 86");
  EXPECT_EQ(error_of(good, {78, 1, 5}), "s: expected classes learned with this model, found another's");
  EXPECT_EQ(error_of(std::vector<std::byte>(99)), "s: expected learned classes, found another kind of file");
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_NE(error_of({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}), "") << size;
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto bytes = good;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_NE(error_of(bytes), "") << bit;
  }
}

// Hostile numbers under a good checksum: refused, or a state that works.
TEST(ClassMeans, HostileFilesAreRefusedOrHarmless) {
  ClassMeans means(kSource, kRoom);
  for (const char* name : {"a", "bc", "def"}) means.learn(name, Floats(5, 1.0F));
  const auto good = means.encode();
  std::mt19937 random(1);
  int refused = 0;
  for (int round = 0; round < 5000; ++round) {
    auto bytes = good;
    for (int i = 0; i < 2; ++i)
      bytes[8 + random() % (bytes.size() - 8)] = std::byte(random() % 3 == 0 ? random() : random() % 2 * 255);
    const uint64_t fits = seal(bytes.data(), bytes.size());
    std::memcpy(bytes.data() + offsetof(Header, checksum), &fits, sizeof fits);
    try {
      ClassMeans read = ClassMeans::decode(bytes, kSource, kRoom, "s");
      read.learn("new", Floats(5, 1.0F));
      EXPECT_LT(read.nearest(Floats(5, 1.0F)), read.size());
    } catch (const BadModel&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 500);
  EXPECT_LT(refused, 5000);
}

class Folder : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  size_t files() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_.path()), {}));
  }
  std::vector<std::byte> read(const std::string& name, size_t most) const {
    const auto held = read_file(path(name), most);
    return {held.bytes.begin(), held.bytes.end()};
  }
  TemporaryFolder folder_;
};
using AtomicFile = Folder;
using LearnedClasses = Folder;

TEST_F(AtomicFile, AFullDiskLeavesTheOldOne) {
  const std::vector<std::byte> old(100, std::byte{1}), large(1 << 16, std::byte{2});
  write_atomically(path("a"), old);
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit most{1000, 1000};
    setrlimit(RLIMIT_FSIZE, &most);
    try {
      write_atomically(path("a"), large);
    } catch (const std::system_error&) {
      _exit(7);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_EQ(read("a", 1000), old);
  EXPECT_EQ(files(), 1U);
  EXPECT_FALSE(read_if_there(path("none"), 10).has_value());
  EXPECT_EQ(read("a", 10).size(), 11U);
  EXPECT_THROW(write_atomically(path("no/such/folder"), old), std::system_error);
}

TEST_F(AtomicFile, ALinkIsFollowed) {
  const std::vector<std::byte> old(10, std::byte{1}), fresh(20, std::byte{2});
  write_atomically(path("a"), old);
  std::filesystem::create_symlink("a", path("link"));
  write_atomically(path("link"), fresh);
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
  EXPECT_EQ(read("a", 100), fresh);
}

// Else the first to save by a link would take the link's place, and the file would have two states.
TEST_F(AtomicFile, ALinkToNothingYetIsFollowedToo) {
  const std::vector<std::byte> bytes(10, std::byte{1});
  std::filesystem::create_directory(path("elsewhere"));
  std::filesystem::create_symlink("elsewhere/second", path("first"));
  std::filesystem::create_symlink(path("elsewhere/a"), path("elsewhere/second"));
  write_atomically(path("first"), bytes);
  EXPECT_TRUE(std::filesystem::is_symlink(path("first")));
  EXPECT_TRUE(std::filesystem::is_symlink(path("elsewhere/second")));
  EXPECT_EQ(read("elsewhere/a", 100), bytes);
}

// Killed at any moment while it saves again and again: what is there is always whole.
TEST_F(AtomicFile, AKillLeavesAWholeFile) {
  const auto state = [](int examples) {
    ClassMeans means(kSource, kRoom);
    for (int i = 0; i < examples; ++i) means.learn("a", Floats(5, 1.0F));
    return means.encode();
  };
  write_atomically(path("a"), state(1));
  for (int round = 0; round < 10; ++round) {
    const pid_t child = fork();
    if (child == 0)
      for (int i = 1;; ++i) write_atomically(path("a"), state(i % 50 + 1));
    usleep(static_cast<useconds_t>(1000 + 700 * round));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    EXPECT_EQ(error_of(read("a", kRoom)), "");
  }
}

std::vector<std::byte> small_model(uint32_t shift = 0) {
  Graph g([shift](const std::string& name, const std::vector<int64_t>& shape) {
    return naive::random_weight(name + std::to_string(shift), shape);
  });
  const Value features = g.means(g.conv("c", g.input("image", 3, 8, 8, {.divisor = 255}), {6, 3, 3}));
  g.output("logits", g.dense("d", features, 4, true));
  g.output("features", features);
  return compile(g);
}

TEST_F(LearnedClasses, ThroughTheCInterface) {
  const auto bytes = small_model(), other = small_model(1);
  std::ofstream(path("m.peb"), std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  Network network(path("m.peb"));
  const int features = network.output_named("features");
  EXPECT_EQ(features, 1);
  EXPECT_EQ(pe_find_output(network.get(), "nothing"), -1);
  const std::vector<uint8_t> red(192, 250);
  std::vector<uint8_t> blue(192, 10);
  for (size_t i = 2; i < blue.size(); i += 3) blue[i] = 255;
  {
    Classes classes(path("s.pec"), network, features);
    EXPECT_EQ(pe_classes_predict(classes.get(), network.output(features).data(), nullptr), -1);
    EXPECT_STREQ(pe_error(), "no class has been learned yet");
    network.run(red, 8, 8);
    classes.learn("white", network.output(features));
    network.run(blue, 8, 8);
    classes.learn("blue", network.output(features));
    classes.learn("blue", network.output(features));
    const std::string cut("blue\0sky", 8);  // C would take it for "blue"
    EXPECT_THROW(classes.learn(cut, network.output(features)), std::runtime_error);
    EXPECT_THROW(classes.forget(cut), std::runtime_error);
    classes.save();
  }
  Classes classes(path("s.pec"), network, features);
  ASSERT_EQ(classes.size(), 2);
  EXPECT_EQ(classes.name(1), "blue");
  EXPECT_EQ(classes.examples(1), 2);
  EXPECT_EQ(pe_classes_bytes(classes.get()), std::filesystem::file_size(path("s.pec")));
  network.run(blue, 8, 8);
  const auto similarities = classes.similarities(network.output(features));
  EXPECT_NEAR(similarities[1], 1, 1e-6);
  EXPECT_LT(similarities[0], similarities[1]);
  EXPECT_EQ(pe_classes_predict(classes.get(), network.output(features).data(), nullptr), 1);
  EXPECT_THROW(classes.learn("blue", network.output(features).first(3)), std::runtime_error);
  EXPECT_STREQ(pe_error(), "expected 6 features, found 3");
  EXPECT_THROW(classes.similarities(std::vector<float>(7, 1.0F)), std::runtime_error);
  float one = 0;
  EXPECT_EQ(pe_classes_predict_n(classes.get(), network.output(features).data(), 6, &one, 1), -1);
  EXPECT_THROW(classes.name(2), std::runtime_error);
  classes.forget("white");
  EXPECT_THROW(classes.forget("white"), std::runtime_error);
  EXPECT_STREQ(pe_error(), "there is no class white");
  EXPECT_EQ(pe_classes_name(classes.get(), 1), nullptr);

  pe_model* stranger = pe_open_memory(other.data(), other.size());
  EXPECT_EQ(pe_classes_open(path("s.pec").c_str(), stranger, features, 0), nullptr);
  EXPECT_EQ(std::string(pe_error()),
            path("s.pec") + ": expected classes learned with this model, found another's");
  EXPECT_EQ(pe_classes_open(path("x.pec").c_str(), stranger, 2, 0), nullptr);
  pe_close(stranger);
  EXPECT_EQ(pe_classes_open(nullptr, nullptr, 0, 0), nullptr);
}

}  // namespace
}  // namespace perennial::edge
