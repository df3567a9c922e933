#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "edge/compile/compile.h"
#include "edge/model.h"
#include "edge/perennial_edge.hpp"
#include "tests/edge/naive.h"

namespace perennial::edge {
namespace {

const std::vector<std::string> kNames{"ant", "a bee", "\xC3\xA9t\xC3\xA9"};

Graph classes(const std::vector<std::string>& names = kNames) {
  Graph g(naive::random_weight);
  const Value x = g.means(g.conv("a", g.input("x", 3, 4, 4), {5, 3, 3}));
  g.output("logits", g.dense("fc", x, static_cast<int>(names.size()), true));
  g.output("features", x);
  g.label("logits", names);
  return g;
}

void reseal(std::vector<std::byte>& bytes) {
  const uint64_t fits = seal(bytes.data(), bytes.size());
  std::memcpy(bytes.data() + offsetof(Header, checksum), &fits, sizeof fits);
}

Header header_of(const std::vector<std::byte>& bytes) {
  Header h;
  std::memcpy(&h, bytes.data(), sizeof h);
  return h;
}

size_t ports_at(const Header& h) {
  return sizeof h + h.tensors * sizeof(TensorRecord) + h.ops * sizeof(OpRecord);
}

/// What is said of a file whose ports `change` has changed.
template <class Change>
std::string refusal(const Change& change) {
  auto bytes = compile(classes());
  const Header h = header_of(bytes);
  std::vector<PortRecord> ports(h.ports);
  std::memcpy(ports.data(), bytes.data() + ports_at(h), ports.size() * sizeof(PortRecord));
  change(ports);
  std::memcpy(bytes.data() + ports_at(h), ports.data(), ports.size() * sizeof(PortRecord));
  reseal(bytes);
  try {
    Model::from_memory(bytes, "m");
  } catch (const BadModel& e) {
    return e.what();
  }
  return "";
}

TEST(Labels, AreNamedInTheFileAndRead) {
  const auto bytes = compile(classes());
  EXPECT_EQ(header_of(bytes).version, kFormatVersion);
  Network network(bytes);
  const int logits = network.output_named("logits"), features = network.output_named("features");
  EXPECT_EQ(network.labels(logits), kNames);
  EXPECT_TRUE(network.labels(features).empty());
  EXPECT_EQ(pe_is_logits(network.get(), logits), 1);
  EXPECT_EQ(pe_is_logits(network.get(), features), 0);
  EXPECT_STREQ(pe_label(network.get(), logits, 1), "a bee");

  for (const int32_t index : {-1, 3}) EXPECT_EQ(pe_label(network.get(), logits, index), nullptr);
  EXPECT_STREQ(pe_error(), "no such label");
  EXPECT_EQ(pe_label(network.get(), features, 0), nullptr);
  EXPECT_EQ(pe_label(network.get(), 9, 0), nullptr);
  EXPECT_EQ(pe_label(nullptr, 0, 0), nullptr);
  EXPECT_EQ(pe_labels(network.get(), 9), -1);
  EXPECT_EQ(pe_labels(nullptr, 0), -1);
  EXPECT_EQ(pe_is_logits(network.get(), -1), -1);
}

TEST(Labels, ProbabilitiesAreTheSoftmaxOfTheLogits) {
  const auto bytes = compile(classes());
  Network network(bytes);
  network.run(std::vector<float>(48, 100.0F));
  const int logits = network.output_named("logits");
  const auto scores = network.output(logits);
  const auto p = network.probabilities(logits);
  ASSERT_EQ(p.size(), 3U);
  EXPECT_NEAR(std::accumulate(p.begin(), p.end(), 0.0), 1, 1e-6);
  EXPECT_NEAR(std::log(p[0] / p[1]), scores[0] - scores[1], 1e-3);
  float room[2];
  EXPECT_EQ(pe_read_probabilities(network.get(), logits, room, 2), -1);
  EXPECT_STREQ(pe_error(), "expected 3 numbers, found 2");
  EXPECT_EQ(pe_read_probabilities(network.get(), logits, nullptr, 3), -1);
  EXPECT_EQ(pe_read_probabilities(nullptr, logits, room, 2), -1);
}

TEST(Labels, AFileWithoutIsAsItWas) {
  Graph g(naive::random_weight);
  g.output("logits", g.dense("fc", g.means(g.input("x", 3, 4, 4)), 3, true));
  const auto bytes = compile(g);
  EXPECT_EQ(header_of(bytes).version, kPlainVersion);
  Network network(bytes);
  EXPECT_EQ(pe_labels(network.get(), 0), 0);
  EXPECT_EQ(pe_is_logits(network.get(), 0), 0);
}

TEST(Labels, ThatCannotBeAreNotWritten) {
  Graph g = classes();
  EXPECT_THROW(g.label("logits", {"a"}), std::invalid_argument);
  EXPECT_THROW(g.label("others", kNames), std::invalid_argument);
  EXPECT_THROW(g.label("logits", {"a", "b", std::string("c\0d", 3)}), std::invalid_argument);
  EXPECT_THROW(g.label("logits", {"a", "b", std::string(kLongestLabel, 'c')}), std::invalid_argument);
  g.label("logits", {"", "b", std::string(kLongestLabel - 1, 'c')});
  EXPECT_EQ(Network(compile(g)).labels(0).back().size(), kLongestLabel - 1);
}

TEST(Labels, OfAHostileFileAreRefused) {
  using Ports = std::vector<PortRecord>;
  EXPECT_EQ(refusal([](Ports&) {}), "");
  // The ports are the image, logits and features.
  EXPECT_EQ(refusal([](Ports& p) { p[2].flags = kLabelled; }), "m: port 2: fewer labels than channels");
  EXPECT_EQ(refusal([](Ports& p) { p[1].flags = kPortFlags; }),
            "m: port 1: a flag that this version does not know");
  EXPECT_EQ(refusal([](Ports& p) { p[0].flags = kLabelled; }), "m: port 0: an input that is an answer");
  EXPECT_EQ(refusal([](Ports& p) { p[0].flags = kGrey; }),
            "m: port 0: an image to be cut or grey without being rounded");
  EXPECT_EQ(refusal([](Ports& p) { p[2] = p[1]; }), "m: port 2: labels that overlap");
  auto bytes = compile(classes({"a", std::string(kLongestLabel - 1, 'b')}));
  const Header h = header_of(bytes);
  const auto names = bytes.begin() + static_cast<std::ptrdiff_t>(ports_at(h) + h.ports * sizeof(PortRecord));
  const auto end = names + static_cast<std::ptrdiff_t>(h.name_bytes);
  const std::byte label[] = {std::byte{'a'}, std::byte{0}, std::byte{'b'}};
  const auto at = std::search(names, end, std::begin(label), std::end(label));
  ASSERT_NE(at, end);
  at[1] = std::byte{'a'};  // one long label instead of two
  reseal(bytes);
  try {
    Model::from_memory(bytes, "m");
    ADD_FAILURE();
  } catch (const BadModel& e) {
    EXPECT_STREQ(e.what(), "m: port 1: a label that is too long");
  }
}

}  // namespace
}  // namespace perennial::edge
