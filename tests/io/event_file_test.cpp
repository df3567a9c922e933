#include "perennial/io/event_file.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <sys/resource.h>

#include <gtest/gtest.h>

#include "perennial/base/bytes.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "tests/base/temporary_folder.h"
#include "tests/io/protocol_buffer.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;

class EventFile : public ::testing::Test {
 protected:
  TemporaryFolder temporary_;
  fs::path folder_ = temporary_ / "events";
};

TEST_F(EventFile, FirstRecordIsTheVersionAndNamesAreTensorBoards) {
  const EventWriter writer(folder_);
  EXPECT_EQ(writer.file().filename().string().rfind("events.out.tfevents.", 0), 0U);
  const auto records = read_event_records(writer.file());
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(Message(records[0]).bytes(3), "brain.Event:2");
}

// Bytes written by TensorFlow for Event{wall_time: 1.5, step: 300, summary{value{tag:"a",
// simple_value:0.5}}}.
TEST_F(EventFile, ScalarBytesAreExact) {
  EventWriter writer(folder_);
  const auto before = fs::file_size(writer.file());
  writer.scalar("a", 300, 0.5, 1.5);
  const std::string record = read_file(writer.file()).substr(before);
  const std::string payload(
      "\x09\x00\x00\x00\x00\x00\x00\xf8\x3f"  // 1: double 1.5
      "\x10\xac\x02"                          // 2: varint 300
      "\x2a\x0a\x0a\x08\x0a\x01"              // 5: summary, 1: value, 1: tag
      "a"
      "\x15\x00\x00\x00\x3f",  // 2: float 0.5
      9 + 3 + 6 + 1 + 5);
  ASSERT_EQ(record.size(), payload.size() + 16);
  EXPECT_EQ(load_le<uint64_t>(record.data()), payload.size());
  EXPECT_EQ(record.substr(12, payload.size()), payload);
}

// The masked sum of the eight bytes 18 00 .. 00 (a length of 24) as TensorFlow writes it.
TEST_F(EventFile, SumsAreMasked) {
  EventWriter writer(folder_);
  const std::string head = read_file(writer.file()).substr(0, 12);
  ASSERT_EQ(load_le<uint64_t>(head.data()), 24U);
  const uint32_t crc = crc32c(head.substr(0, 8));
  EXPECT_EQ(load_le<uint32_t>(head.data() + 8), ((crc >> 15) | (crc << 17)) + 0xA282EAD8U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(head.substr(8, 4), std::string("\xa3\x7f\x4b\x22", 4));
}

TEST_F(EventFile, ImageAndTextReadBack) {
  EventWriter writer(folder_);
  const std::string png("\x89PNG\0binary", 11);
  writer.image("memory", 7, png, 28, 56, 2.0);
  writer.text("config", 0, "**bold**", 3.0);
  const auto records = read_event_records(writer.file());
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(writer.records(), 3);

  const Message image_event(records[1]);
  EXPECT_EQ(image_event.as<double>(1), 2.0);
  EXPECT_EQ(image_event.as<int64_t>(2), 7);
  const Message value = image_event.message(5).message(1);
  EXPECT_EQ(value.bytes(1), "memory");
  const Message picture = value.message(4);
  EXPECT_EQ(picture.as<int64_t>(1), 28);
  EXPECT_EQ(picture.as<int64_t>(2), 56);
  EXPECT_EQ(picture.bytes(4), png);

  const Message note = Message(records[2]).message(5).message(1);
  EXPECT_EQ(note.message(8).bytes(8), "**bold**");
  EXPECT_EQ(note.message(8).as<int64_t>(1), 7);
  EXPECT_EQ(note.message(9).message(1).bytes(1), "text");
}

TEST_F(EventFile, NegativeAndHugeStepsKeepTheirBits) {
  EventWriter writer(folder_);
  writer.scalar("x", -1, 1, 1);
  writer.scalar("x", INT64_MAX, 1, 1);
  const auto records = read_event_records(writer.file());
  EXPECT_EQ(Message(records[1]).as<int64_t>(2), -1);
  EXPECT_EQ(Message(records[2]).as<int64_t>(2), INT64_MAX);
}

TEST_F(EventFile, ResumeCutsWhatTheCheckpointDidNotKnow) {
  fs::path file;
  std::string whole;
  {
    EventWriter writer(folder_);
    file = writer.file();
    for (int step = 1; step <= 5; ++step) writer.scalar("loss", step, step * 0.1, step);
    whole = read_file(file);
  }
  std::ofstream(file, std::ios::app | std::ios::binary) << "half a rec";
  {
    EventWriter writer(file, 3);  // the version and steps 1, 2
    EXPECT_EQ(writer.records(), 3);
    for (int step = 3; step <= 5; ++step) writer.scalar("loss", step, step * 0.1, step);
    EXPECT_EQ(writer.records(), 6);
  }
  EXPECT_EQ(read_file(file), whole);
  EXPECT_THROW(EventWriter(file, 7), Error);
  EXPECT_EQ(read_file(file), whole) << "a refused file must stay as it was";
}

TEST_F(EventFile, TwoWritersNeverShareAFile) {
  const EventWriter a(folder_), b(folder_);
  EXPECT_NE(a.file(), b.file());
}

TEST_F(EventFile, EveryFlippedByteAndEveryCutIsNoticed) {
  EventWriter writer(folder_);
  writer.scalar("loss", 1, 0.25, 1);
  const std::string whole = read_file(writer.file());
  const size_t first = 16 + load_le<uint64_t>(whole.data());
  const fs::path copy = folder_ / "copy";
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string bad = whole;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    write_file_atomic(copy, bad);
    EXPECT_THROW(read_event_records(copy), Error) << "byte " << i;
    if (i == 0 || i == first) continue;
    write_file_atomic(copy, whole.substr(0, i));
    EXPECT_THROW(read_event_records(copy), Error) << "cut at " << i;
  }
}

TEST_F(EventFile, AFullDiskGivesAnErrorAndLeavesWholeRecords) {
  EventWriter writer(folder_);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto previous = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{fs::file_size(writer.file()) + 20, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_THROW(writer.scalar("loss", 1, 1, 1), Error);
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, previous);
  EXPECT_EQ(read_event_records(writer.file()).size(), 1U);
  writer.scalar("loss", 1, 1, 1);
  EXPECT_EQ(read_event_records(writer.file()).size(), 2U);
}

TEST_F(EventFile, BadArgumentsAreRefused) {
  EventWriter writer(folder_);
  EXPECT_THROW(writer.image("i", 1, "png", 0, 4, 1), std::invalid_argument);
  EXPECT_THROW(EventWriter(writer.file(), -1), std::invalid_argument);
  EXPECT_THROW(EventWriter(folder_ / "nothing", 1), Error);
}

}  // namespace
}  // namespace perennial
