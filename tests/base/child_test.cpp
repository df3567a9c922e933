#include "perennial/base/child.h"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "tests/base/temporary_folder.h"

namespace perennial {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string read_all(Child& child) {
  std::string text(100, '\0');
  text.resize(child.read(reinterpret_cast<uint8_t*>(text.data()), text.size()));
  return text;
}

std::string complaint_of(Child& child) {
  try {
    child.finish();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(Child, AMissingProgramIsNamed) {
  try {
    Child({"/nonexistent/ffmpeg"}, Child::Pipe::kRead);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), AllOf(HasSubstr("/nonexistent/ffmpeg"), HasSubstr("install FFmpeg")));
  }
}

TEST(Child, WhatItSaysComesInAndItsStatusCounts) {
  Child good({"sh", "-c", "echo hello; echo a warning >&2"}, Child::Pipe::kRead);
  EXPECT_EQ(read_all(good), "hello\n");
  EXPECT_EQ(good.finish(), "a warning");
  Child bad({"sh", "-c", "echo half; echo first >&2; echo the disk is full >&2; exit 3"}, Child::Pipe::kRead);
  EXPECT_EQ(read_all(bad), "half\n");
  EXPECT_THAT(complaint_of(bad), HasSubstr("status 3: the disk is full"));
  Child killed({"sh", "-c", "kill -9 $$"}, Child::Pipe::kRead);
  EXPECT_EQ(read_all(killed), "");
  EXPECT_THAT(complaint_of(killed), HasSubstr("signal 9"));
}

TEST(Child, OneThatReadsNoMoreIsToldAndNotASignal) {
  Child child({"sh", "-c", "echo no >&2; exit 1"}, Child::Pipe::kWrite);
  const std::string much(1 << 20, 'x');
  bool written = true;
  for (int i = 0; i < 10 && written; ++i) written = child.write(much.data(), much.size());
  EXPECT_FALSE(written);
  EXPECT_THAT(complaint_of(child), HasSubstr("no"));
}

TEST(Child, WhatIsWrittenArrives) {
  const TemporaryFolder folder;
  Child child({"sh", "-c", "cat > " + (folder / "file").string()}, Child::Pipe::kWrite);
  EXPECT_TRUE(child.write("hello", 5));
  child.finish();
  EXPECT_EQ(read_file(folder / "file"), "hello");
}

TEST(Child, OneThatIsNotWaitedForIsKilledWithItsOwn) {
  const auto begin = std::chrono::steady_clock::now();
  {
    Child child({"sh", "-c", "sleep 100; true"}, Child::Pipe::kRead);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

}  // namespace
}  // namespace perennial
