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
  log_to(folder / "log.txt", false);
  log_info("a line");
  log_to_nothing();
  log_info("for nobody");
  EXPECT_THAT(read_file(folder / "log.txt"), testing::MatchesRegex("before\n20.*T.* info a line\n"));
  EXPECT_THROW(log_to(folder / "log.txt" / "under" / "a" / "file", false), Error);
}

// A log is no result.
TEST(Log, OnAFullDiskItsLinesAreLostWithOneWarning) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("/dev/full", folder / "log.txt");
  testing::internal::CaptureStderr();
  log_to(folder / "log.txt", true);
  for (int i = 0; i < 3; ++i) log_info("a line");
  log_to_nothing();
  const std::string shown = testing::internal::GetCapturedStderr();
  EXPECT_THAT(shown, HasSubstr("lines of the log are lost"));
  EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), 1) << shown;
}

}  // namespace
}  // namespace perennial
