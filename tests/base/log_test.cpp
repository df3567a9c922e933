#include "perennial/base/log.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "tests/base/temporary_folder.h"

namespace perennial {
namespace {

using testing::HasSubstr;

TEST(Log, LinesAreAppendedWithTheirTimes) {
  const TemporaryFolder folder;
  write_file(folder / "log.txt", "before\n");
  Log log;
  log.to(folder / "log.txt", false);
  log.info("a line");
  log.to_nothing();
  log.info("for nobody");
  EXPECT_THAT(read_file(folder / "log.txt"), testing::MatchesRegex("before\n20.*T.* info a line\n"));
  EXPECT_THROW(log.to(folder / "log.txt" / "under" / "a" / "file", false), Error);
}

// A log is no result.
TEST(Log, OnAFullDiskItsLinesAreLostWithOneWarning) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("/dev/full", folder / "log.txt");
  testing::internal::CaptureStderr();
  Log log;
  log.to(folder / "log.txt", true);
  for (int i = 0; i < 3; ++i) log.info("a line");
  const std::string shown = testing::internal::GetCapturedStderr();
  EXPECT_THAT(shown, HasSubstr("lines of the log are lost"));
  EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), 1) << shown;
}

}  // namespace
}  // namespace perennial
