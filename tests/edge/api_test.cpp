#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "edge/compile/compile.h"
#include "edge/nets/sinet.h"
#include "edge/perennial_edge.h"
#include "edge/perennial_edge.hpp"
#include "tests/base/temporary_folder.h"
#include "tests/edge/allocations.h"
#include "tests/edge/naive.h"

namespace perennial::edge {
namespace {

constexpr ImageInput kImage{
    {107.304565F, 115.69884F, 132.35703F}, {63.97182F, 65.1337F, 68.29726F}, 255, true};

std::vector<std::byte> random_sinet() { return compile(sinet_portrait(naive::random_weight, kImage, 64)); }

/// The published weights, when the data are there.
Weights published() {
  const char* data = std::getenv("PERENNIAL_DATA");
  Weights weights;
  if (data == nullptr || *data == 0) return weights;
  std::ifstream file(std::string(data) + "/weights/sinet_portrait.safetensors", std::ios::binary);
  const std::string all((std::istreambuf_iterator<char>(file)), {});
  uint64_t header = 0;
  std::memcpy(&header, all.data(), 8);
  const auto json = nlohmann::json::parse(all.substr(8, header));
  for (const auto& [name, entry] : json.items()) {
    if (name == "__metadata__" || entry["dtype"] != "F32") continue;
    Weight w{entry["shape"], {}};
    const size_t begin = entry["data_offsets"][0], end = entry["data_offsets"][1];
    w.values.resize((end - begin) / 4);
    std::memcpy(w.values.data(), all.data() + 8 + header + begin, end - begin);
    weights[name] = std::move(w);
  }
  return weights;
}

struct Close {
  void operator()(pe_model* m) const { pe_close(m); }
};
using Handle = std::unique_ptr<pe_model, Close>;

Handle open(const std::vector<std::byte>& bytes) {
  return Handle(pe_open_memory(bytes.data(), bytes.size()));
}

TEST(Api, DescribesItsPorts) {
  const auto bytes = random_sinet();
  const Handle m = open(bytes);
  ASSERT_NE(m, nullptr) << pe_error();
  EXPECT_EQ(pe_inputs(m.get()), 1);
  EXPECT_EQ(pe_outputs(m.get()), 1);
  pe_port in, out;
  ASSERT_EQ(pe_describe_input(m.get(), 0, &in), 0);
  ASSERT_EQ(pe_describe_output(m.get(), 0, &out), 0);
  EXPECT_STREQ(in.name, "image");
  EXPECT_EQ(in.is_image, 1);
  EXPECT_EQ(in.height, 64);
  EXPECT_STREQ(out.name, "logits");
  EXPECT_EQ(out.channels, 2);
  EXPECT_EQ(out.is_image, 0);
}

TEST(Api, FailuresAreTextAndNeverExceptions) {
  EXPECT_EQ(pe_open("/nonexistent/model.peb"), nullptr);
  EXPECT_NE(std::string(pe_error()).find("/nonexistent/model.peb"), std::string::npos);
  EXPECT_EQ(pe_open(nullptr), nullptr);
  EXPECT_EQ(pe_run(nullptr), -1);
  const auto bytes = random_sinet();
  const Handle m = open(bytes);
  pe_port port;
  EXPECT_EQ(pe_describe_input(m.get(), 3, &port), -1);
  EXPECT_EQ(pe_describe_input(m.get(), -1, &port), -1);
  uint8_t pixel[3] = {};
  EXPECT_EQ(pe_set_image(m.get(), 0, pixel, 0, 1, 3, 3), -1);
  EXPECT_EQ(pe_set_image(m.get(), 0, pixel, 1, 1, 3, 5), -1);
  EXPECT_STREQ(pe_error(), "expected 3 or 4 bytes a pixel");
  EXPECT_EQ(pe_set_image(m.get(), 0, pixel, 1, 1, 2, 3), -1);
}

TEST(Api, AFrameAllocatesNothing) {
  const auto bytes = random_sinet();
  const Handle m = open(bytes);
  std::vector<uint8_t> rgb(100 * 80 * 3, 90), alpha(100 * 80);
  const auto frame = [&] {
    return pe_set_image(m.get(), 0, rgb.data(), 100, 80, 300, 3) == 0 && pe_run(m.get()) == 0 &&
           pe_read_matte(m.get(), 0, alpha.data(), 100, 80, 100) == 0 &&
           pe_read_matte_refined(m.get(), 0, rgb.data(), 100, 80, 300, 3, alpha.data(), 100) == 0;
  };
  ASSERT_TRUE(frame());
  const int before = allocations();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(frame());
  EXPECT_EQ(allocations(), before);
}

TEST(Api, AnyNumberOfThreadsGivesTheSameBitsAndAllocatesNothing) {
  const auto bytes = random_sinet();
  std::vector<float> alone;
  for (const int threads : {1, 2, 3, 7, 1}) {
    const Handle m = open(bytes);
    ASSERT_EQ(pe_set_threads(m.get(), threads), 0) << pe_error();
    const auto run = [&] {
      for (int i = 0; i < 3 * 64 * 64; ++i)
        pe_input(m.get(), 0)[i] = 0.01F * static_cast<float>(i % 7) - 0.03F;
      return pe_run(m.get());
    };
    ASSERT_EQ(run(), 0);
    const int before = allocations();
    for (int i = 0; i < 5; ++i) ASSERT_EQ(run(), 0);
    EXPECT_EQ(allocations(), before);
    const float* out = pe_output(m.get(), 0);
    if (alone.empty()) alone.assign(out, out + 2 * 64 * 64);
    EXPECT_EQ(std::memcmp(alone.data(), out, alone.size() * sizeof(float)), 0) << threads;
  }
  const Handle m = open(bytes);
  EXPECT_EQ(pe_set_threads(m.get(), 0), -1);
  EXPECT_EQ(pe_set_threads(m.get(), 65), -1);
  EXPECT_STREQ(pe_error(), "expected 1 to 64 threads");
  EXPECT_EQ(pe_set_threads(nullptr, 1), -1);
}

TEST(Api, HandlesOfTwoThreadsAreIndependent) {
  const auto bytes = random_sinet();
  std::vector<float> results[2];
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&, t] {
      const Handle m = open(bytes);
      for (int i = 0; i < 20; ++i) {
        std::fill_n(pe_input(m.get(), 0), 3 * 64 * 64, 0.01F * static_cast<float>(t));
        pe_run(m.get());
      }
      results[t].assign(pe_output(m.get(), 0), pe_output(m.get(), 0) + 2 * 64 * 64);
    });
  for (auto& t : threads) t.join();
  const Handle alone = open(bytes);
  std::fill_n(pe_input(alone.get(), 0), 3 * 64 * 64, 0.01F);
  pe_run(alone.get());
  EXPECT_TRUE(std::equal(results[1].begin(), results[1].end(), pe_output(alone.get(), 0)));
  EXPECT_NE(results[0], results[1]);
}

TEST(Api, OutputsStayWhileTheNextInputIsWritten) {
  const auto bytes = random_sinet();
  const Handle m = open(bytes);
  std::vector<uint8_t> first(100 * 80 * 3, 90), second(100 * 80 * 3, 200), before(100 * 80), after(100 * 80);
  const auto matte = [&](std::vector<uint8_t>& alpha) {
    ASSERT_EQ(pe_read_matte(m.get(), 0, alpha.data(), 100, 80, 100), 0) << pe_error();
  };
  ASSERT_EQ(pe_set_image(m.get(), 0, first.data(), 100, 80, 300, 3), 0);
  ASSERT_EQ(pe_run(m.get()), 0) << pe_error();
  const std::vector<float> logits(pe_output(m.get(), 0), pe_output(m.get(), 0) + 2 * 64 * 64);
  matte(before);
  ASSERT_EQ(pe_set_image(m.get(), 0, second.data(), 100, 80, 300, 3), 0);
  EXPECT_TRUE(std::equal(logits.begin(), logits.end(), pe_output(m.get(), 0)));
  matte(after);
  EXPECT_EQ(before, after);
  ASSERT_EQ(pe_run(m.get()), 0) << pe_error();
  EXPECT_FALSE(std::equal(logits.begin(), logits.end(), pe_output(m.get(), 0)));
}

TEST(Api, ARunWithoutInputIsAnErrorAndLeavesTheOutputs) {
  const auto bytes = random_sinet();
  const Handle m = open(bytes);
  EXPECT_EQ(pe_run(m.get()), -1);
  EXPECT_STREQ(pe_error(), "input image has not been written since the last run");
  float* kept = pe_input(m.get(), 0);
  std::fill_n(kept, 3 * 64 * 64, 0.25F);
  ASSERT_EQ(pe_run(m.get()), 0) << pe_error();
  const std::vector<float> logits(pe_output(m.get(), 0), pe_output(m.get(), 0) + 2 * 64 * 64);
  EXPECT_EQ(pe_run(m.get()), -1);
  EXPECT_TRUE(std::equal(logits.begin(), logits.end(), pe_output(m.get(), 0)));
  const std::vector<float> planes(3 * 64 * 64, 0.25F);
  EXPECT_EQ(pe_set_input(m.get(), 0, planes.data(), planes.size() - 1), -1);
  EXPECT_STREQ(pe_error(), "expected 12288 numbers, found 12287");
  ASSERT_EQ(pe_set_input(m.get(), 0, planes.data(), planes.size()), 0) << pe_error();
  ASSERT_EQ(pe_run(m.get()), 0) << pe_error();
  std::vector<float> again(logits.size());
  EXPECT_EQ(pe_get_output(m.get(), 0, again.data(), again.size() + 1), -1);
  ASSERT_EQ(pe_get_output(m.get(), 0, again.data(), again.size()), 0) << pe_error();
  EXPECT_EQ(again, logits);
  std::fill_n(kept, 3 * 64 * 64, 0.25F);
  EXPECT_EQ(pe_run(m.get()), 0) << "through a pointer from before the last run";
}

// Each of two inputs is wanted before each run, and an output that is an input stays too.
TEST(Api, EveryInputIsWantedForEveryRun) {
  Graph g(naive::random_weight);
  const Value a = g.input("a", 2, 4, 4), b = g.input("b", 2, 4, 4);
  g.output("sum", g.add(a, b));
  g.output("same", a);
  const auto bytes = compile(g);
  const Handle m = open(bytes);
  ASSERT_NE(m, nullptr) << pe_error();
  const auto set = [&](int input, float value) { std::fill_n(pe_input(m.get(), input), 32, value); };
  for (float round = 1; round < 4; ++round) {
    set(0, round);
    EXPECT_EQ(pe_run(m.get()), -1);
    EXPECT_STREQ(pe_error(), "input b has not been written since the last run");
    set(1, 10);
    ASSERT_EQ(pe_run(m.get()), 0) << pe_error();
    set(0, -1), set(1, -1);
    EXPECT_EQ(pe_output(m.get(), 0)[31], 10 + round);
    EXPECT_EQ(pe_output(m.get(), 1)[0], round);
    ASSERT_EQ(pe_run(m.get()), 0) << pe_error();
  }
}

TEST(Api, CountsAreChecked) {
  const auto bytes = random_sinet();
  Network network{std::span(bytes)};
  pe_model* m = network.get();
  std::vector<uint8_t> rgb(10 * 8 * 3), alpha(10 * 8);
  EXPECT_EQ(pe_set_image_n(m, 0, rgb.data(), rgb.size() - 1, 10, 8, 30, 3), -1);
  EXPECT_STREQ(pe_error(), "a buffer smaller than its image: 239 bytes for 8 rows");
  EXPECT_EQ(pe_set_image_n(m, 0, rgb.data(), rgb.size(), 10, 8, SIZE_MAX / 2, 3), -1);
  EXPECT_EQ(pe_set_image_n(m, 0, rgb.data(), rgb.size() - 3, 9, 8, 30, 3), 0) << pe_error();
  ASSERT_EQ(pe_run(m), 0);
  EXPECT_EQ(pe_read_matte_n(m, 0, alpha.data(), alpha.size() - 1, 10, 8, 10), -1);
  EXPECT_EQ(pe_read_matte_n(m, 0, alpha.data(), alpha.size(), 10, 8, 10), 0) << pe_error();
  EXPECT_EQ(
      pe_read_matte_refined_n(m, 0, rgb.data(), rgb.size() - 1, 10, 8, 30, 3, alpha.data(), alpha.size(), 10),
      -1);
  EXPECT_EQ(pe_read_matte_refined_n(m, 0, rgb.data(), rgb.size(), 10, 8, 30, 3, alpha.data(), 79, 10), -1);
  EXPECT_EQ(pe_read_matte_refined_n(m, 0, rgb.data(), rgb.size(), 10, 8, 30, 3, alpha.data(), 80, 10), 0)
      << pe_error();
  EXPECT_THROW(network.run(std::span(rgb).first(5), 10, 8), std::runtime_error);
  EXPECT_THROW(network.run(rgb, -1, -1), std::runtime_error);
  const std::vector<float> planes(3 * 64 * 64);
  EXPECT_THROW(network.run(std::span(planes).first(3)), std::runtime_error);
  EXPECT_NO_THROW(network.run(planes));
}

// Numbers that are none are no person, and no undefined conversion either.
TEST(Api, AMatteOfNoNumbersIsEmpty) {
  const auto bytes = random_sinet();
  const Handle m = open(bytes);
  std::fill_n(pe_input(m.get(), 0), 3 * 64 * 64, std::numeric_limits<float>::quiet_NaN());
  ASSERT_EQ(pe_run(m.get()), 0) << pe_error();
  const std::vector<uint8_t> rgb(20 * 20 * 3, 90);
  std::vector<uint8_t> alpha(20 * 20, 1), refined(20 * 20, 1);
  ASSERT_EQ(pe_read_matte_n(m.get(), 0, alpha.data(), alpha.size(), 20, 20, 20), 0);
  ASSERT_EQ(
      pe_read_matte_refined_n(m.get(), 0, rgb.data(), rgb.size(), 20, 20, 60, 3, refined.data(), 400, 20), 0);
  EXPECT_EQ(alpha, std::vector<uint8_t>(20 * 20, 0));
  EXPECT_EQ(refined, alpha);
}

TEST(Api, MemoryIsCountedAndLimited) {
  const auto bytes = random_sinet();
  const Handle whole = open(bytes);
  const size_t needed = pe_memory_bytes(whole.get());
  EXPECT_EQ(pe_open_memory_within(bytes.data(), bytes.size(), needed - 1), nullptr);
  EXPECT_NE(std::string(pe_error()).find("needs more than"), std::string::npos);
  const Handle m(pe_open_memory_within(bytes.data(), bytes.size(), needed + 100'000));
  ASSERT_NE(m, nullptr) << pe_error();
  std::vector<uint8_t> rgb(400 * 400 * 3), alpha(400 * 400);
  const auto refined = [&](pe_model* model) {
    return pe_set_image(model, 0, rgb.data(), 400, 400, 1200, 3) == 0 && pe_run(model) == 0 &&
           pe_read_matte_refined(model, 0, rgb.data(), 400, 400, 1200, 3, alpha.data(), 400) == 0;
  };
  EXPECT_FALSE(refined(m.get()));
  EXPECT_TRUE(refined(whole.get())) << pe_error();
  EXPECT_GT(pe_memory_bytes(whole.get()), needed + 100'000);
  EXPECT_LE(pe_memory_bytes(m.get()), needed + 100'000);
  EXPECT_EQ(pe_memory_bytes(nullptr), 0U);
}

// The published weights: values of the original network for two inputs.
TEST(Api, GivesThePublishedLogits) {
  const Weights weights = published();
  if (weights.empty()) GTEST_SKIP() << "PERENNIAL_DATA is not set: no published weights";
  const auto bytes = compile(sinet_portrait(source_of(weights), kImage));
  const Handle m = open(bytes);
  ASSERT_NE(m, nullptr) << pe_error();
  const auto at = [&](int c, int y, int x) { return pe_output(m.get(), 0)[(c * 224 + y) * 224 + x]; };
  std::fill_n(pe_input(m.get(), 0), 3 * 224 * 224, 0.0F);
  ASSERT_EQ(pe_run(m.get()), 0);
  EXPECT_NEAR(at(0, 0, 0), 1.275143, 1e-3);
  EXPECT_NEAR(at(1, 112, 112), -1.074195, 1e-3);
  EXPECT_NEAR(at(0, 223, 223), 0.361052, 1e-3);
  float* in = pe_input(m.get(), 0);
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < 224; ++y)
      for (int x = 0; x < 224; ++x)
        in[(c * 224 + y) * 224 + x] = static_cast<float>(0.01 * std::sin(0.05 * x + 0.03 * y + c));
  ASSERT_EQ(pe_run(m.get()), 0);
  EXPECT_NEAR(at(0, 0, 0), 2.867709, 1e-4);
  EXPECT_NEAR(at(1, 0, 0), -2.826313, 1e-4);
  EXPECT_NEAR(at(0, 112, 112), 3.545281, 1e-4);
  EXPECT_NEAR(at(1, 223, 223), -0.670323, 1e-4);
}

// A drawn bust on a smooth background: the published network finds it.
TEST(Api, FindsADrawnPerson) {
  const Weights weights = published();
  if (weights.empty()) GTEST_SKIP() << "PERENNIAL_DATA is not set: no published weights";
  const auto bytes = compile(sinet_portrait(source_of(weights), kImage));
  const TemporaryFolder folder;
  const auto file = folder / "sinet.peb";
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  constexpr int kSide = 320;
  std::vector<uint8_t> rgb(kSide * kSide * 3), truth(kSide * kSide), alpha(kSide * kSide);
  const auto inside = [](double x, double y, double cx, double cy, double rx, double ry) {
    return (x - cx) * (x - cx) / (rx * rx) + (y - cy) * (y - cy) / (ry * ry) < 1;
  };
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x) {
      const bool head = inside(x, y, 160, 115, 48, 62),
                 hair = inside(x, y, 160, 92, 56, 60) && !inside(x, y, 160, 122, 44, 50);
      const bool neck = std::abs(x - 160) < 22 && y > 150 && y < 215, body = inside(x, y, 160, 320, 120, 125);
      const bool eye = inside(x, y, 142, 108, 6, 4) || inside(x, y, 178, 108, 6, 4);
      uint8_t colour[3] = {static_cast<uint8_t>(150 + y / 8), static_cast<uint8_t>(175 + x / 16), 200};
      const auto paint = [&](uint8_t r, uint8_t g, uint8_t b) {
        colour[0] = r, colour[1] = g, colour[2] = b;
      };
      if (body) paint(45, 60, 110);
      if (neck) paint(205, 160, 130);
      if (head) paint(220, 175, 145);
      if (hair) paint(60, 40, 30);
      if (eye) paint(30, 30, 30);
      truth[static_cast<size_t>(y * kSide + x)] = body || neck || head || hair ? 1 : 0;
      std::memcpy(&rgb[static_cast<size_t>(y * kSide + x) * 3], colour, 3);
    }
  Matte matte(file.string());
  matte(rgb, kSide, kSide, alpha);
  int both = 0, either = 0;
  for (size_t p = 0; p < alpha.size(); ++p) {
    const bool found = alpha[p] > 127;
    both += found && truth[p] == 1 ? 1 : 0, either += found || truth[p] == 1 ? 1 : 0;
  }
  EXPECT_GT(static_cast<double>(both) / either, 0.9);
}

}  // namespace
}  // namespace perennial::edge
