// Files that change, or are none.
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "edge/compile/compile.h"
#include "edge/perennial_edge.h"
#include "edge/perennial_edge.hpp"
#include "tests/base/temporary_folder.h"
#include "tests/edge/naive.h"

namespace perennial::edge {
namespace {

std::vector<std::byte> small_model() {
  Graph g(naive::random_weight);
  const Value x = g.conv("a", g.input("image", 3, 16, 16, {.divisor = 255}), {8, 3, 3, 2});
  g.output("features", g.means(g.resize(x, 2, true)));
  return compile(g);
}

class ChangingFile : public testing::Test {
 protected:
  ChangingFile() { write(model_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::vector<std::byte>& bytes) const {
    std::ofstream(path("m.peb"), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  /// In place, as no one should.
  void overwrite(size_t at, const void* data, size_t count) const {
    const int fd = ::open(path("m.peb").c_str(), O_WRONLY);
    EXPECT_EQ(::pwrite(fd, data, count, static_cast<off_t>(at)), static_cast<ssize_t>(count));
    ::close(fd);
  }
  static std::vector<float> run(Network& network) {
    network.run(std::vector<uint8_t>(16 * 16 * 3, 77), 16, 16);
    const auto out = network.output(0);
    return {out.begin(), out.end()};
  }

  const std::vector<std::byte> model_ = small_model();
  TemporaryFolder folder_;
};

TEST_F(ChangingFile, RecordsRewrittenInPlaceChangeNothing) {
  for (const Access access : {Access::kRead, Access::kMap}) {
    write(model_);
    Network network(path("m.peb"), access);
    const auto before = run(network);
    Header h;
    std::memcpy(&h, model_.data(), sizeof h);
    const std::vector<char> garbage(weights_at(h), 0x7f);
    overwrite(0, garbage.data(), garbage.size());
    EXPECT_EQ(run(network), before);
    pe_port port;
    ASSERT_EQ(pe_describe_output(network.get(), 0, &port), 0);
    EXPECT_STREQ(port.name, "features");
    EXPECT_EQ(port.channels, 8);
    Classes classes(path("c.pec"), network, 0);
    EXPECT_NO_THROW(classes.learn("a", network.output(0)));
  }
}

TEST_F(ChangingFile, AFileThatWasReadMayBeCutOffOrGetOtherWeights) {
  Network network(path("m.peb"));
  const auto before = run(network);
  const std::vector<char> zeros(500);
  overwrite(model_.size() - zeros.size(), zeros.data(), zeros.size());
  EXPECT_EQ(run(network), before);
  ASSERT_EQ(::truncate(path("m.peb").c_str(), 0), 0);
  EXPECT_EQ(run(network), before);
}

// The weights alone are read from the caller's memory afterwards.
TEST_F(ChangingFile, MemoryThatChangesChangesWeightsAlone) {
  auto bytes = model_;
  Network network{std::span(bytes)};
  const auto before = run(network);
  Header h;
  std::memcpy(&h, bytes.data(), sizeof h);
  std::fill_n(bytes.begin(), weights_at(h), std::byte{0x7f});
  EXPECT_EQ(run(network), before);
  std::fill(bytes.begin(), bytes.end(), std::byte{0xff});
  EXPECT_NE(run(network), before);
}

TEST_F(ChangingFile, MappedAndReadAreTheSame) {
  Network read(path("m.peb")), mapped(path("m.peb"), Access::kMap);
  EXPECT_EQ(run(read), run(mapped));
  EXPECT_LT(pe_memory_bytes(mapped.get()) + model_.size() / 2, pe_memory_bytes(read.get()));
  EXPECT_EQ(pe_open_within(path("m.peb").c_str(), model_.size() - 1), nullptr);
  EXPECT_NE(std::string(pe_error()).find("needs more than"), std::string::npos);
}

TEST_F(ChangingFile, PipesFoldersAndDevicesAreRefusedAtOnce) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  Network network(path("m.peb"));
  for (const std::string& name : {path("pipe"), folder_.path().string(), std::string("/dev/zero")}) {
    EXPECT_EQ(pe_open(name.c_str()), nullptr);
    EXPECT_NE(std::string(pe_error()).find(name), std::string::npos) << pe_error();
    EXPECT_EQ(pe_open_mapped(name.c_str(), 0), nullptr);
    EXPECT_EQ(pe_classes_open(name.c_str(), network.get(), 0, 0), nullptr);
    EXPECT_NE(std::string(pe_error()).find(name), std::string::npos) << pe_error();
  }
}

}  // namespace
}  // namespace perennial::edge
