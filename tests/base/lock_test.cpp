#include "perennial/base/lock.h"

#include <csignal>
#include <filesystem>
#include <functional>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "tests/base/temporary_folder.h"

namespace perennial {
namespace {

using testing::HasSubstr;

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST(FileLock, TheSecondIsToldWhoIsAtWork) {
  const TemporaryFolder folder;
  const auto take = [&] { FileLock(folder / "s.lock", "changing", folder / "s"); };
  {
    const FileLock first(folder / "s.lock", "changing", folder / "s");
    EXPECT_TRUE(first.works());
    EXPECT_EQ(error_of(take), "changing: " + (folder / "s").string() +
                                  ": expected no other process at work on it, found process " +
                                  std::to_string(::getpid()) + " (wait for its end, or stop it)");
    EXPECT_TRUE(std::filesystem::exists(folder / "s.lock"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "s.lock"));
  EXPECT_EQ(error_of(take), "nothing was thrown");
}

TEST(FileLock, GoesWithAKilledProcess) {
  const TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FileLock held(folder / "lock", "changing", folder / "s");
    static_cast<void>(!::write(ready[1], "x", 1));
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const auto take = [&] { FileLock(folder / "lock", "changing", folder / "s"); };
  EXPECT_THAT(error_of(take), HasSubstr("process " + std::to_string(child)));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(std::filesystem::exists(folder / "lock"));
  EXPECT_EQ(error_of(take), "nothing was thrown");
}

// A lock of that name elsewhere, reached by a link, is nobody's to write to.
TEST(FileLock, FollowsNoLink) {
  const TemporaryFolder folder;
  write_file(folder / "precious", "text");
  std::filesystem::create_symlink("precious", folder / "lock");
  EXPECT_THAT(error_of([&] { FileLock(folder / "lock", "changing", folder / "s"); }), HasSubstr("changing"));
  EXPECT_EQ(read_file(folder / "precious"), "text");
}

TEST(FolderLock, LeavesNoEmptyFolderBehind) {
  const TemporaryFolder folder;
  {
    const FolderLock lock(folder / "a" / "b", "beginning");
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
  {
    const FolderLock lock(folder / "a" / "b", "beginning");
    write_file(folder / "a" / "b" / "file", "");
    EXPECT_THAT(error_of([&] { FolderLock(folder / "a" / "b", "beginning"); }),
                HasSubstr("no other process"));
  }
  EXPECT_TRUE(std::filesystem::exists(folder / "a" / "b" / "file"));
  EXPECT_FALSE(std::filesystem::exists(folder / "a" / "b" / ".lock"));
}

}  // namespace
}  // namespace perennial
