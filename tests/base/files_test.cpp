#include "perennial/base/files.h"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/error.h"
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

int files_in(const std::filesystem::path& folder) {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

/// Lets no file grow over `bytes` while it lives: writes fail with EFBIG, as they fail on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const struct rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  struct rlimit before_{};
  void (*handler_)(int) = nullptr;
};

TEST(WriteFileAtomic, WritesReplacesAndLeavesNothingBeside) {
  const TemporaryFolder folder;
  const std::string bytes("a\0b\n", 4);
  write_file_atomic(folder / "file", "old");
  write_file_atomic(folder / "file", bytes);
  EXPECT_EQ(read_file(folder / "file"), bytes);
  EXPECT_EQ(files_in(folder.path()), 1);
}

TEST(WriteFileAtomic, LinksAreFollowedAndDevicesStay) {
  const TemporaryFolder folder;
  write_file(folder / "file", "old");
  std::filesystem::create_symlink("file", folder / "link");
  write_file_atomic(folder / "link", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(read_file(folder / "file"), "new");
  std::filesystem::create_symlink("/dev/null", folder / "sink");
  write_file_atomic(folder / "sink", "nothing");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "sink"));
  EXPECT_EQ(files_in(folder / ""), 3);
}

TEST(WriteFileAtomic, ALinkToNothingYetIsFollowedToo) {
  const TemporaryFolder folder;
  make_folder(folder / "elsewhere");
  std::filesystem::create_symlink("elsewhere/file", folder / "link");
  write_file_atomic(folder / "link", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(read_file(folder / "elsewhere" / "file"), "new");
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

TEST(WriteFileAtomic, NewFilesTakeTheUmaskAndReplacedOnesKeepTheirMode) {
  const TemporaryFolder folder;
  for (const mode_t mask : {0002U, 0022U, 0077U}) {
    const mode_t before = ::umask(mask);
    const std::string name = std::to_string(mask);
    write_file_atomic(folder / name, "new");
    write_file(folder / (name + "-plain"), "new");
    ::umask(before);
    EXPECT_EQ(mode_of(folder / name), 0666 & ~mask);
    EXPECT_EQ(mode_of(folder / (name + "-plain")), 0666 & ~mask);
  }
  for (const mode_t mode : {0600U, 0664U, 0444U, 0755U}) {
    ASSERT_EQ(::chmod((folder / "2").c_str(), mode), 0);
    write_file_atomic(folder / "2", "newer");
    EXPECT_EQ(mode_of(folder / "2"), mode);
  }
}

TEST(WriteFileAtomic, WritesTheLongestNamesThereAre) {
  const TemporaryFolder folder;
  const std::string longest(255, 'x');
  write_file_atomic(folder / longest, "a");
  EXPECT_EQ(read_file(folder / longest), "a");
  EXPECT_EQ(files_in(folder.path()), 1);
}

TEST(WriteFileAtomic, KeepsTheOldFileWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "file", "old and whole");
  std::string message;
  {
    const FileSizeLimit limit(1 << 16);
    message = error_of([&] { write_file_atomic(folder / "file", std::string(1 << 20, 'x')); });
  }
  EXPECT_THAT(message, HasSubstr("writing: " + (folder / "file").string() + ": found "));
  EXPECT_EQ(read_file(folder / "file"), "old and whole");
  EXPECT_EQ(files_in(folder.path()), 1);
}

TEST(WriteFileAtomic, NamesTheFolderThatIsNotThere) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { write_file_atomic(folder / "absent" / "file", "x"); }),
              HasSubstr("absent/file"));
}

TEST(ReadFile, SaysWhatItCouldNotRead) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { read_file(folder / "absent"); }), HasSubstr("No such file"));
  EXPECT_THAT(error_of([&] { read_file(folder.path()); }), HasSubstr("expected a file, found a folder"));
}

TEST(ReadFile, RefusesMoreThanTheLimit) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "file", std::string(1000, 'x'));
  EXPECT_EQ(read_file(folder / "file", 1000).size(), 1000U);
  EXPECT_THAT(error_of([&] { read_file(folder / "file", 999); }), HasSubstr("at most 999 bytes"));
  EXPECT_THAT(error_of([] { read_file("/dev/zero", 1 << 20); }), HasSubstr("at most 1048576 bytes"));
}

TEST(MappedFile, ShowsTheBytes) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "file", "mapped");
  write_file_atomic(folder / "empty", "");
  EXPECT_EQ(MappedFile(folder / "file").bytes(), "mapped");
  EXPECT_TRUE(MappedFile(folder / "empty").bytes().empty());
  EXPECT_THROW(MappedFile(folder / "absent"), Error);
  EXPECT_THROW(MappedFile(folder.path()), Error);
}

TEST(MappedFile, WhatIsWrittenToItIsItsOwn) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "file", "mapped");
  const MappedFile mine(folder / "file", MappedFile::Access::kOwnWrites), other(folder / "file");
  const_cast<char&>(mine.bytes()[0]) = 'M';
  EXPECT_EQ(mine.bytes(), "Mapped");
  EXPECT_EQ(other.bytes(), "mapped");
  EXPECT_EQ(read_file(folder / "file"), "mapped");
}

TEST(WriteFile, PiecesComeOneBehindTheOther) {
  const TemporaryFolder folder;
  const std::vector<std::string_view> pieces{"one ", "", "and two"};
  write_file_atomic(folder / "file", pieces);
  EXPECT_EQ(read_file(folder / "file"), "one and two");
  write_file_atomic(folder / "file", std::span<const std::string_view>());
  EXPECT_EQ(read_file(folder / "file"), "");
}

TEST(ScratchMapping, IsZeroedWritableAndLeavesNoFile) {
  const TemporaryFolder folder;
  const ScratchMapping scratch(folder / "made", 1 << 20);
  auto* bytes = static_cast<unsigned char*>(scratch.data());
  EXPECT_EQ(bytes[(1 << 20) - 1], 0);
  std::memset(bytes, 7, 1 << 20);
  EXPECT_EQ(bytes[12345], 7);
  EXPECT_EQ(files_in(folder / "made"), 0);
}

TEST(ScratchMapping, SaysSoWhenTheDiskIsShort) {
  const TemporaryFolder folder;
  const FileSizeLimit limit(1 << 16);
  EXPECT_THAT(error_of([&] { ScratchMapping(folder.path(), 1 << 20); }),
              HasSubstr("reserving 1048576 bytes of scratch space"));
}

TEST(MakeFolder, MakesParentsAndSaysWhatIsInTheWay) {
  const TemporaryFolder folder;
  make_folder(folder / "a" / "b");
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a" / "b"));
  make_folder(folder / "a" / "b");
  write_file_atomic(folder / "file", "");
  EXPECT_THAT(error_of([&] { make_folder(folder / "file" / "c"); }), HasSubstr("making a folder"));
}

TEST(Memory, PeakFollowsWhatIsTouched) {
  const int64_t before = peak_resident_bytes();
  std::string block(64 << 20, 'x');
  EXPECT_GE(peak_resident_bytes(), before);
  EXPECT_GE(peak_resident_bytes(), int64_t{64} << 20);
  EXPECT_LT(peak_resident_bytes(), physical_memory_bytes());
  EXPECT_EQ(block.back(), 'x');
}

TEST(ErrorMessage, IsOneLineOfWhatWasDonePathExpectedAndFound) {
  EXPECT_STREQ(Error({"reading CIFAR-10", "a.bin", "10 bytes", "9 bytes"}).what(),
               "reading CIFAR-10: a.bin: expected 10 bytes, found 9 bytes");
  EXPECT_STREQ(Error({"writing", "a.bin", "", "Disk full"}).what(), "writing: a.bin: found Disk full");
  EXPECT_STREQ(Error({"asking", "", "", ""}).what(), "asking");
}

// Nobody writes into it, and nobody waits.
TEST(Files, APipeThatNobodyWritesIntoIsNotWaitedFor) {
  const TemporaryFolder folder;
  const std::string pipe = (folder / "pipe").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read_file(pipe), "");
  EXPECT_THAT(error_of([&] { MappedFile mapped(pipe); }), HasSubstr("a regular file"));
}

}  // namespace
}  // namespace perennial
