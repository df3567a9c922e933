#include "perennial/io/nut_reader.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "perennial/base/error.h"

namespace perennial {
namespace {

constexpr std::string_view kIdentity("nut/multimedia container\0", 25);
constexpr uint64_t kMain = 0x4E4D7A561F5F04AD, kStream = 0x4E5311405BF2F9DB, kSyncpoint = 0x4E4BE4ADEECA4569;
constexpr uint64_t kMostPacket = 1 << 20, kLongPacket = 4096;
constexpr int64_t kMostPixels = int64_t{1} << 26;

// Flags of a frame; the others tell nothing that matters here.
enum Flag : uint64_t {
  kCodedTime = 8,
  kStreamId = 16,
  kSizeMsb = 32,
  kChecksum = 64,
  kReserved = 128,
  kSideData = 256,
  kHeaderIndex = 1024,
  kMatchTime = 2048,
  kCoded = 4096,
  kInvalid = 8192
};

}  // namespace

// The numbers of a packet that is in memory; beyond its end all are 0.
class NutReader::Packet {
 public:
  explicit Packet(std::string_view bytes) : bytes_(bytes) {}
  bool has_more() const { return !bytes_.empty(); }
  uint64_t number() {
    uint64_t value = 0;
    while (!bytes_.empty()) {
      const auto next = static_cast<uint8_t>(bytes_[0]);
      bytes_.remove_prefix(1);
      value = value << 7 | (next & 0x7F);
      if ((next & 0x80) == 0) return value;
    }
    return 0;
  }
  int64_t small() { return static_cast<int64_t>(std::min<uint64_t>(number(), uint64_t{1} << 31)); }
  int64_t signed_number() {
    const uint64_t v = number() + 1;
    const auto half = static_cast<int64_t>(v >> 1);
    return (v & 1) != 0 ? -half : half;
  }
  std::string text() {
    const size_t size = std::min<uint64_t>(number(), bytes_.size());
    const std::string taken(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return taken;
  }

 private:
  std::string_view bytes_;
};

NutReader::NutReader(Child& from, std::string path) : from_(from), path_(std::move(path)) {
  for (const char wanted : kIdentity)
    if (byte() != static_cast<uint8_t>(wanted)) refuse("pictures in NUT", "another stream");
  while (width_ == 0) {
    if (byte() != 'N') refuse("the size of the pictures", "pictures");
    read_packet('N');
  }
}

void NutReader::refuse(const std::string& expected, const std::string& found) const {
  throw Error({"reading the video", path_, expected, found});
}

bool NutReader::fill() {
  if (at_ < buffer_.size()) return true;
  buffer_.resize(4096);
  buffer_.resize(from_.read(buffer_.data(), buffer_.size()));
  at_ = 0;
  return !buffer_.empty();
}

uint8_t NutReader::byte() {
  if (!fill()) refuse("the rest of the pictures", "the end");
  return buffer_[at_++];
}

uint64_t NutReader::number() {
  uint64_t value = 0;
  for (int i = 0; i < 10; ++i) {
    const uint8_t next = byte();
    value = value << 7 | (next & 0x7F);
    if ((next & 0x80) == 0) return value;
  }
  refuse("numbers of NUT", "longer ones");
}

// After its start code: its bytes without the checksum, which a pipe does not need.
std::string NutReader::packet() {
  const uint64_t size = number();
  if (size < 4 || size > kMostPacket) refuse("a packet of ordinary size", fmt::format("{} bytes", size));
  if (size > kLongPacket)
    for (int i = 0; i < 4; ++i) byte();
  std::string bytes;
  for (uint64_t i = 0; i < size; ++i) bytes += static_cast<char>(byte());
  bytes.resize(bytes.size() - 4);
  return bytes;
}

void NutReader::read_packet(uint64_t start) {
  for (int i = 0; i < 7; ++i) start = start << 8 | byte();
  const std::string bytes = packet();
  Packet in(bytes);
  if (start == kMain && bases_.empty()) main_header(in);
  if (start == kStream && width_ == 0) stream_header(in);
  if (start == kSyncpoint && width_ > 0) syncpoint(in);
}

void NutReader::main_header(Packet& in) {
  if (const auto version = in.number(); version != 3) refuse("NUT of version 3", std::to_string(version));
  if (const auto streams = in.number(); streams != 1) refuse("one stream", std::to_string(streams));
  in.number();  // the greatest distance between syncpoints
  const int64_t bases = in.small();
  for (int64_t i = 0; i < bases && in.has_more(); ++i) {
    const int64_t num = in.small(), den = in.small();
    if (num < 1 || den < 1) refuse("a unit of time", fmt::format("{}/{}", num, den));
    bases_.push_back({num, den});
  }
  if (bases_.empty()) refuse("a unit of time", "none");
  frame_codes(in);
  if (!in.has_more()) return;
  const int64_t headers = in.small();
  for (int64_t i = 0; i < headers && in.has_more(); ++i) headers_.push_back(in.text());
}

// What the first byte of a frame stands for, in runs.
void NutReader::frame_codes(Packet& in) {
  FrameCode code{.size_mul = 1};
  for (size_t i = 0; i < codes_.size();) {
    if (!in.has_more()) refuse("256 frame codes", std::to_string(i));
    code.flags = in.number();
    const uint64_t fields = in.number();
    if (fields > 0) code.time_delta = in.signed_number();
    if (fields > 1) code.size_mul = in.number();
    if (fields > 2) in.number();  // the stream: there is one
    const uint64_t size = fields > 3 ? in.number() : 0;
    code.reserved = fields > 4 ? in.number() : 0;
    const uint64_t count = fields > 5 ? in.number() : code.size_mul - size;
    if (fields > 6) in.signed_number();
    if (fields > 7) code.header = in.number();
    for (uint64_t f = 8; f < fields && in.has_more(); ++f) in.number();
    if (count == 0) refuse("256 frame codes", std::to_string(i));
    for (uint64_t j = 0; j < count && i < codes_.size(); ++i) {
      codes_[i] = code;
      if (i == 'N')
        codes_[i].flags = kInvalid;
      else
        codes_[i].size_lsb = size + j++;
    }
  }
}

void NutReader::stream_header(Packet& in) {
  if (bases_.empty()) refuse("a main header", "none");
  in.number();  // number of the stream
  if (in.number() != 0) refuse("a stream of pictures", "another");
  if (in.text() != std::string_view("RGB\x18")) refuse("pictures as red, green and blue", "others");
  base_ = in.number();
  if (base_ >= bases_.size()) refuse("a unit of time", "none");
  shift_ = static_cast<int>(std::min<uint64_t>(in.number(), 15));
  for (int i = 0; i < 3; ++i) in.number();  // distance of times, delay of the decoder, flags
  in.text();
  width_ = in.small(), height_ = in.small();
  if (width_ < 1 || height_ < 1 || width_ * height_ > kMostPixels)
    refuse("a frame of ordinary size", fmt::format("{}x{}", width_, height_));
  aspect_.num = in.small();
  aspect_.den = std::max<int64_t>(in.small(), 1);
}

// The time from which the next ones count.
void NutReader::syncpoint(Packet& in) {
  const uint64_t coded = in.number(), count = bases_.size();
  const Ratio from = bases_[coded % count], to = bases_[base_];
  time_ = scaled(static_cast<int64_t>(coded / count), from.num * to.den, from.den * to.num);
}

// Reads a frame's header: sets its time, returns the size of its data.
uint64_t NutReader::picture_size(uint8_t first, uint64_t& header) {
  const FrameCode& code = codes_[first];
  uint64_t flags = code.flags, size = code.size_lsb, reserved = code.reserved;
  if ((flags & kCoded) != 0) flags ^= number();
  if ((flags & kInvalid) != 0) refuse("a frame", "none");
  if ((flags & kStreamId) != 0 && number() != 0) refuse("one stream", "another");
  if ((flags & kCodedTime) != 0) {
    const uint64_t coded = number(), unit = uint64_t{1} << shift_;
    const int64_t mask = static_cast<int64_t>(unit) - 1, base = time_ - mask / 2;
    time_ = coded < unit ? ((static_cast<int64_t>(coded) - base) & mask) + base
                         : static_cast<int64_t>(coded - unit);
  } else {
    time_ += code.time_delta;
  }
  if ((flags & kSizeMsb) != 0) size += code.size_mul * number();
  if ((flags & kMatchTime) != 0) number();
  header = (flags & kHeaderIndex) != 0 ? number() : code.header;
  if ((flags & kReserved) != 0) reserved = number();
  for (; reserved > 0; --reserved) number();
  if (size > kLongPacket) header = 0;
  if ((flags & kChecksum) != 0)
    for (int i = 0; i < 4; ++i) byte();
  if ((flags & kSideData) != 0 || header >= headers_.size()) refuse("a picture alone", "more");
  return size;
}

void NutReader::picture(uint8_t code, std::vector<uint8_t>& rgb) {
  uint64_t header = 0;
  const uint64_t size = picture_size(code, header);
  rgb.resize(static_cast<size_t>(3 * width_ * height_));
  if (size != rgb.size())
    refuse(fmt::format("{} bytes of {}x{} pixels", rgb.size(), width_, height_), std::to_string(size));
  const std::string& begin = headers_[header];
  size_t got = std::min(begin.size(), rgb.size());
  std::memcpy(rgb.data(), begin.data(), got);
  const size_t here = std::min(buffer_.size() - at_, rgb.size() - got);
  std::memcpy(rgb.data() + got, buffer_.data() + at_, here);
  got += here, at_ += here;
  got += from_.read(rgb.data() + got, rgb.size() - got);
  if (got < rgb.size()) refuse("a whole picture", fmt::format("{} of {} bytes", got, rgb.size()));
}

bool NutReader::next(std::vector<uint8_t>& rgb) {
  while (fill()) {
    const uint8_t code = byte();
    if (code != 'N') {
      picture(code, rgb);
      return true;
    }
    read_packet(code);
  }
  return false;
}

}  // namespace perennial
