#include "edge/compile/onnx.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sys/wait.h>

#include <gtest/gtest.h>

#include "edge/compile/compile.h"
#include "edge/engine.h"
#include "edge/nets/extremec3.h"
#include "edge/nets/mobilenet.h"
#include "edge/nets/sinet.h"
#include "tests/base/temporary_folder.h"
#include "tests/edge/naive.h"

namespace perennial::edge {
namespace {

constexpr int kSide = 64;

Graph graph() { return sinet_portrait(naive::random_weight, {{0, 0, 0}, {1, 1, 1}, 255, true}, kSide); }

// TensorFlow's padding, where the zeros above and below differ, and what SINet has not.
Graph same_padded() {
  Graph g(naive::random_weight);
  const auto same = Graph::Padding::kSame;
  const Value x = g.clamp(g.conv("a", g.input("image", 3, kSide, kSide), {8, 3, 3, 2, 1, true, same}), 0, 6);
  const Value y = g.clamp(g.conv("b", x, {8, 5, 5, 2, 8, true, same}), 0, 6);
  const Value z = g.add(g.conv("c", y, {8}), g.pool(x, 2));
  const Value flat = g.flatten(g.max_pool(g.leaky(z, 0.1F), 3, 2));
  g.output("logits", g.norm("n", g.dense("d", flat, 10, false), 1e-5));
  return g;
}

using Field = std::pair<uint64_t, std::string>;  // number; bytes, or the digits of a varint

// The fields of a protobuf message.
std::vector<Field> fields(const std::string& bytes) {
  size_t at = 0;
  const auto varint = [&] {
    uint64_t v = 0;
    for (int shift = 0;; shift += 7) {
      const auto b = static_cast<unsigned char>(bytes.at(at++));
      v |= static_cast<uint64_t>(b & 127) << shift;
      if (b < 128) return v;
    }
  };
  std::vector<Field> all;
  while (at < bytes.size()) {
    const uint64_t key = varint();
    if ((key & 7) == 0) {
      all.emplace_back(key >> 3, std::to_string(varint()));
      continue;
    }
    const size_t size = (key & 7) == 2 ? varint() : 4;
    all.emplace_back(key >> 3, bytes.substr(at, size));
    if (at + size > bytes.size()) throw std::out_of_range("a field behind the end");
    at += size;
  }
  return all;
}

std::vector<std::string> all_of(const std::string& bytes, uint64_t number) {
  std::vector<std::string> found;
  for (const auto& [n, value] : fields(bytes))
    if (n == number) found.push_back(value);
  return found;
}

// Every operation reads what an input, a constant or an operation before it gives, and no name is given
// twice. Gives how many operations there are.
size_t operations_of(const std::string& body) {
  std::set<std::string> known{""};
  for (const std::string& c : all_of(body, 5)) known.insert(all_of(c, 8).at(0));
  for (const std::string& input : all_of(body, 11)) known.insert(all_of(input, 1).at(0));
  size_t operations = 0;
  for (const std::string& node : all_of(body, 1)) {
    for (const std::string& input : all_of(node, 1)) EXPECT_TRUE(known.contains(input)) << input;
    for (const std::string& output : all_of(node, 2)) EXPECT_TRUE(known.insert(output).second) << output;
    ++operations;
  }
  return operations;
}

TEST(Onnx, OperationsReadWhatIsThere) {
  const std::string body = all_of(to_onnx(graph(), "sinet"), 7).at(0);
  EXPECT_GT(operations_of(body), 150U);
  // What is left is behind residual sums, and behind parts that others read too.
  size_t norms = 0;
  for (const std::string& node : all_of(body, 1))
    norms += all_of(node, 4).at(0) == "BatchNormalization" ? 1 : 0;
  EXPECT_LT(norms, 15U);
  EXPECT_EQ(all_of(all_of(body, 12).at(0), 1).at(0), "logits");
}

TEST(Onnx, PortsMayHaveAnyName) {
  Graph g(naive::random_weight);
  const Value x = g.input("_v1", 3, 8, 8);
  const Value y = g.conv("a", x, {4, 3, 3});
  for (const char* name : {"v1", "c0", "__c0", "_t0", "_"}) g.output(name, y);
  EXPECT_EQ(operations_of(all_of(to_onnx(g, "names"), 7).at(0)), 5U);
}

TEST(Onnx, MobilenetIsConvolutionsAndWhatRuntimesJoinToThem) {
  const std::string body = all_of(to_onnx(mobilenet_v1_025(naive::random_weight, {}, kSide), "m"), 7).at(0);
  const std::set<std::string> expected{"Conv", "LeakyRelu", "GlobalAveragePool"};
  for (const std::string& node : all_of(body, 1)) EXPECT_TRUE(expected.contains(all_of(node, 4).at(0)));
}

void write(const std::filesystem::path& file, const void* bytes, size_t size) {
  std::ofstream(file, std::ios::binary)
      .write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
}

// The file itself, checked and run by ONNX's and Microsoft's own libraries, gives what the engine gives.
class OnnxRuntime : public testing::TestWithParam<std::pair<const char*, Graph (*)()>> {};

TEST_P(OnnxRuntime, GivesTheSame) {
  const auto& [name, graph] = GetParam();
  const TemporaryFolder folder;
  const std::string model = to_onnx(graph(), name);
  write(folder / "model.onnx", model.data(), model.size());
  const auto bytes = compile(graph());
  Engine engine(Model::from_memory(bytes));
  std::vector<float> image(3 * kSide * kSide);
  for (size_t i = 0; i < image.size(); ++i) image[i] = 0.01F * static_cast<float>(i * 7919 % 201) - 1.0F;
  std::copy(image.begin(), image.end(), engine.input(0).begin());
  engine.run();
  write(folder / "image.f32", image.data(), 4 * image.size());
  write(folder / "logits.f32", engine.output(0).data(), 4 * engine.output(0).size());
  const std::string command =
      std::string(PERENNIAL_PYTHON) + " " + PERENNIAL_ONNX_CHECK + " " + folder.path().string();
  const int status = std::system(command.c_str());
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "this Python has no onnx and onnxruntime";
  EXPECT_EQ(status, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Networks, OnnxRuntime,
    testing::Values(
        std::pair{"sinet", &graph}, std::pair{"same_padded", &same_padded},
        std::pair{"extremec3", +[] { return extremec3_portrait(naive::random_weight, {}, kSide); }},
        std::pair{"mobilenet", +[] { return mobilenet_v1_025(naive::random_weight, {}, kSide); }}),
    [](const auto& instance) { return instance.param.first; });

}  // namespace
}  // namespace perennial::edge
