#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace perennial {

/// Writes TensorBoard event files: records framed as TFRecord (length, masked CRC-32C, payload, masked
/// CRC-32C), each payload an `Event` message of TensorFlow's event.proto. Every record reaches the operating
/// system before the call returns; a record that does not fit on the disk is taken back and gives an Error.
/// `wall_time` is in seconds since 1970; steps count whatever the caller counts (samples, tasks).
class EventWriter {
 public:
  /// Begins a new file `events.out.tfevents.<time>.<host>` in `folder`, which is made when missing. When the
  /// name is taken, a number follows. TensorBoard merges all event files of a folder.
  explicit EventWriter(const std::filesystem::path& folder);

  /// Goes on in `file` after its first `records` records (the count that a checkpoint saved); what follows
  /// them, half a record included, is cut off. Throws Error when the file holds fewer, or is damaged before
  /// that point.
  EventWriter(const std::filesystem::path& file, int64_t records);

  ~EventWriter();
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  void scalar(std::string_view tag, int64_t step, double value, double wall_time);
  /// `png` is the bytes of a PNG file of that size in pixels.
  void image(std::string_view tag, int64_t step, std::string_view png, int64_t height, int64_t width,
             double wall_time);
  /// Markdown, for the TEXT tab.
  void text(std::string_view tag, int64_t step, std::string_view markdown, double wall_time);

  const std::filesystem::path& file() const { return file_; }
  /// Records in the file, the version record at its head included.
  int64_t records() const { return records_; }

 private:
  void append(std::string_view payload);

  std::filesystem::path file_;
  int fd_ = -1;
  int64_t records_ = 0, bytes_ = 0;
};

/// The payloads of all records of a record file, sums checked. Throws Error at damage, half a record at the
/// end included, with its offset.
std::vector<std::string> read_event_records(const std::filesystem::path& file);

}  // namespace perennial
