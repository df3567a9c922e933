#include "perennial/io/gzip.h"

#include <algorithm>
#include <array>
#include <memory>
#include <zlib.h>

#include "perennial/base/error.h"

namespace perennial {
namespace {

struct EndInflate {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

[[noreturn]] void fail(const std::string& name, const std::string& expected, const std::string& found,
                       size_t offset) {
  throw Error({"unpacking gzip", name, expected, found + " at offset " + std::to_string(offset)});
}

}  // namespace

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

std::string gunzip(std::string_view bytes, const std::string& name, int64_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) fail(name, "a zlib decoder", "no memory for one", 0);
  const std::unique_ptr<z_stream, EndInflate> closer(&stream);
  std::string out;
  std::array<char, 1 << 16> chunk;
  size_t taken = 0;
  for (;;) {
    // zlib counts input in 32 bits.
    const size_t offered = std::min<size_t>(bytes.size() - taken, 1U << 30);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + taken));
    stream.avail_in = static_cast<uInt>(offered);
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    taken += offered - stream.avail_in;
    out.append(chunk.data(), chunk.size() - stream.avail_out);
    if (static_cast<int64_t>(out.size()) > limit)
      fail(name, "at most " + std::to_string(limit) + " bytes", "more", taken);
    if (status == Z_STREAM_END) {
      if (taken == bytes.size()) return out;
      inflateReset(&stream);
    } else if (status == Z_BUF_ERROR || (status == Z_OK && taken == bytes.size() && stream.avail_out > 0)) {
      fail(name, "more compressed data", "the end", taken);
    } else if (status != Z_OK) {
      fail(name, "a sound gzip file", stream.msg != nullptr ? stream.msg : "damage", taken);
    }
  }
}

}  // namespace perennial
