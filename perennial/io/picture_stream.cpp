#include "perennial/io/picture_stream.h"

#include <string_view>

namespace perennial {
namespace {

std::string big_endian(uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
  return out;
}

// Sizes in their form of eight bytes.
std::string head(std::string_view id, uint64_t size) {
  return std::string(id) + big_endian(size | uint64_t{1} << 56, 8);
}

std::string element(std::string_view id, std::string_view content) {
  return head(id, content.size()).append(content);
}

std::string element(std::string_view id, int64_t value) {
  return element(id, big_endian(static_cast<uint64_t>(value), 8));
}

constexpr uint64_t kUnknownSize = (uint64_t{1} << 56) - 1;

}  // namespace

std::string picture_stream_head(int64_t width, int64_t height, int channels, int64_t frame_nanoseconds) {
  using namespace std::string_view_literals;
  const std::string ebml = element("\x42\x82"sv, "matroska"sv) + element("\x42\x87"sv, 4)  // version
                           + element("\x42\x85"sv, 2);   // version that reads it
  const std::string info = element("\x2A\xD7\xB1"sv, 1)  // times in nanoseconds
                           + element("\x4D\x80"sv, "Perennial"sv) + element("\x57\x41"sv, "Perennial"sv);
  const std::string video = element("\xB0"sv, width) + element("\xBA"sv, height) +
                            element("\x2E\xB5\x24"sv, channels == 4 ? "RGBA"sv : "RGB\x18"sv);
  const std::string track = element("\xD7"sv, 1) + element("\x73\xC5"sv, 1)  // number, identity
                            + element("\x83"sv, 1) + element("\x9C"sv, 0)    // video, no lacing
                            + element("\x23\xE3\x83"sv, frame_nanoseconds) +
                            element("\x86"sv, "V_UNCOMPRESSED"sv) + element("\xE0"sv, video);
  return element("\x1A\x45\xDF\xA3"sv, ebml) + head("\x18\x53\x80\x67"sv, kUnknownSize) +
         element("\x15\x49\xA9\x66"sv, info) + element("\x16\x54\xAE\x6B"sv, element("\xAE"sv, track));
}

std::string picture_head(int64_t nanoseconds, uint64_t bytes) {
  using namespace std::string_literals;
  using namespace std::string_view_literals;
  const std::string time = element("\xE7"sv, nanoseconds);
  const std::string block = "\x81\0\0\x80"s;  // track 1, no time after the cluster's, a key frame
  const std::string block_head = head("\xA3"sv, block.size() + bytes) + block;
  return head("\x1F\x43\xB6\x75"sv, time.size() + block_head.size() + bytes) + time + block_head;
}

}  // namespace perennial
