#include "perennial/io/event_file.h"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <unistd.h>

#include "perennial/base/bytes.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"

namespace perennial {
namespace {

constexpr size_t kHeader = 12;  // length and its sum
constexpr size_t kTrailer = 4;  // sum of the payload
constexpr int kDtString = 7;    // DT_STRING of types.proto

[[noreturn]] void fail(const std::string& doing, const std::filesystem::path& path) {
  const int code = errno;
  throw Error({doing, path.string(), "", std::strerror(code)});
}

uint32_t masked_crc(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8U;
}

// The little of protocol buffers that events need: varints, fixed words, and bytes with their length in
// front.
void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void put_key(std::string& out, uint32_t field, uint32_t wire) { put_varint(out, field << 3 | wire); }

void put_int(std::string& out, uint32_t field, int64_t value) {
  put_key(out, field, 0);
  put_varint(out, static_cast<uint64_t>(value));
}

void put_double(std::string& out, uint32_t field, double value) {
  put_key(out, field, 1);
  append_le(out, value);
}

void put_float(std::string& out, uint32_t field, float value) {
  put_key(out, field, 5);
  append_le(out, value);
}

void put_bytes(std::string& out, uint32_t field, std::string_view bytes) {
  put_key(out, field, 2);
  put_varint(out, bytes.size());
  out += bytes;
}

std::string event(double wall_time, int64_t step, uint32_t field, std::string_view content) {
  std::string out;
  put_double(out, 1, wall_time);
  if (step != 0) put_int(out, 2, step);
  put_bytes(out, field, content);
  return out;
}

std::string summary_event(double wall_time, int64_t step, std::string_view value) {
  std::string summary;
  put_bytes(summary, 1, value);
  return event(wall_time, step, 5, summary);
}

std::string tagged(std::string_view tag) {
  std::string value;
  put_bytes(value, 1, tag);
  return value;
}

std::string host() {
  char name[256] = "localhost";
  ::gethostname(name, sizeof name - 1);
  name[sizeof name - 1] = 0;
  return name;
}

/// The record at `offset`: its payload, or what is wrong with it.
struct Record {
  std::string_view payload;
  const char* damage = nullptr;
};

Record record_at(std::string_view bytes, size_t offset) {
  const std::string_view rest = bytes.substr(offset);
  if (rest.size() < kHeader) return {{}, "half a record header"};
  if (load_le<uint32_t>(rest.data() + 8) != masked_crc(rest.substr(0, 8)))
    return {{}, "a wrong sum of the length"};
  const auto length = load_le<uint64_t>(rest.data());
  if (rest.size() < kHeader + kTrailer || length > rest.size() - kHeader - kTrailer)
    return {{}, "half a record"};
  const std::string_view payload = rest.substr(kHeader, length);
  if (load_le<uint32_t>(rest.data() + kHeader + length) != masked_crc(payload))
    return {{}, "a wrong sum of the content"};
  return {payload};
}

[[noreturn]] void damaged(const std::filesystem::path& file, size_t offset, const std::string& found) {
  throw Error(
      {"reading event file", file.string(), "a whole record at byte " + std::to_string(offset), found});
}

int create_new(const std::filesystem::path& folder, std::filesystem::path& file) {
  const std::string stem = "events.out.tfevents." + std::to_string(std::time(nullptr)) + "." + host();
  for (int again = 0;; ++again) {
    file = folder / (again == 0 ? stem : stem + "." + std::to_string(again));
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (fd >= 0) return fd;
    if (errno != EEXIST) fail("making an event file", file);
  }
}

}  // namespace

EventWriter::EventWriter(const std::filesystem::path& folder) {
  make_folder(folder);
  fd_ = create_new(folder, file_);
  try {
    append(event(static_cast<double>(std::time(nullptr)), 0, 3, "brain.Event:2"));
  } catch (...) {
    ::close(fd_);
    ::unlink(file_.c_str());
    throw;
  }
}

EventWriter::EventWriter(const std::filesystem::path& file, int64_t records)
    : file_(file), records_(records) {
  if (records < 0) throw std::invalid_argument("records to keep must be 0 or more");
  const std::string bytes = read_file(file);
  size_t offset = 0;
  for (int64_t i = 0; i < records; ++i) {
    const Record record = record_at(bytes, offset);
    if (record.damage) {
      const std::string found =
          offset == bytes.size() ? "the end after " + std::to_string(i) + " records" : record.damage;
      damaged(file, offset, found);
    }
    offset += kHeader + record.payload.size() + kTrailer;
  }
  bytes_ = static_cast<int64_t>(offset);
  fd_ = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd_ < 0) fail("going on in event file", file);
  if (::ftruncate(fd_, bytes_) != 0) {
    ::close(fd_);
    fail("cutting event file", file);
  }
}

EventWriter::~EventWriter() { ::close(fd_); }

void EventWriter::scalar(std::string_view tag, int64_t step, double value, double wall_time) {
  std::string v = tagged(tag);
  put_float(v, 2, static_cast<float>(value));
  append(summary_event(wall_time, step, v));
}

void EventWriter::image(std::string_view tag, int64_t step, std::string_view png, int64_t height,
                        int64_t width, double wall_time) {
  if (height < 1 || width < 1) throw std::invalid_argument("an event image needs a height and a width");
  std::string picture;
  put_int(picture, 1, height);
  put_int(picture, 2, width);
  put_int(picture, 3, 3);  // RGB
  put_bytes(picture, 4, png);
  std::string v = tagged(tag);
  put_bytes(v, 4, picture);
  append(summary_event(wall_time, step, v));
}

void EventWriter::text(std::string_view tag, int64_t step, std::string_view markdown, double wall_time) {
  std::string plugin, metadata, dimension, shape, tensor;
  put_bytes(plugin, 1, "text");
  put_bytes(metadata, 1, plugin);
  put_int(dimension, 1, 1);
  put_bytes(shape, 2, dimension);
  put_int(tensor, 1, kDtString);
  put_bytes(tensor, 2, shape);
  put_bytes(tensor, 8, markdown);
  std::string v = tagged(tag);
  put_bytes(v, 8, tensor);
  put_bytes(v, 9, metadata);
  append(summary_event(wall_time, step, v));
}

void EventWriter::append(std::string_view payload) {
  std::string record;
  record.reserve(kHeader + payload.size() + kTrailer);
  append_le<uint64_t>(record, payload.size());
  append_le(record, masked_crc(record));
  record += payload;
  append_le(record, masked_crc(payload));
  for (size_t done = 0; done < record.size();) {
    const ssize_t n = ::write(fd_, record.data() + done, record.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const int code = errno;
      // Best effort: if this fails too, the half record is cut when a resumed run opens the file.
      [[maybe_unused]] const int cut = ::ftruncate(fd_, bytes_);
      errno = code;
      fail("writing event file", file_);
    }
    done += static_cast<size_t>(n);
  }
  bytes_ += static_cast<int64_t>(record.size());
  ++records_;
}

std::vector<std::string> read_event_records(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  std::vector<std::string> out;
  for (size_t offset = 0; offset < bytes.size();) {
    const Record record = record_at(bytes, offset);
    if (record.damage) damaged(file, offset, record.damage);
    out.emplace_back(record.payload);
    offset += kHeader + record.payload.size() + kTrailer;
  }
  return out;
}

}  // namespace perennial
