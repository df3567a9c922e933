#pragma once

#include <cstdint>
#include <string>

namespace perennial {

// Raw pictures with their times for a program that reads Matroska: the simplest container that has both.

/// What the stream begins with. `channels` is 3 (red, green, blue) or 4 (and alpha); `frame_nanoseconds` is
/// the usual time from picture to picture.
std::string picture_stream_head(int64_t width, int64_t height, int channels, int64_t frame_nanoseconds);

/// What goes before the bytes of one picture.
std::string picture_head(int64_t nanoseconds, uint64_t bytes);

}  // namespace perennial
