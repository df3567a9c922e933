#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace perennial {

/// An 8-bit image in planar order [channels, height, width]; channels is 1 (grey) or 3 (RGB).
struct Image {
  int64_t channels = 0, height = 0, width = 0;
  std::vector<uint8_t> pixels;
};

/// Decodes a JPEG (grey, YCbCr, RGB, CMYK, YCCK; EXIF orientation honoured) or PNG (every bit depth, palette,
/// alpha composed over white, interlaced) to RGB. Hostile input gives an Error that names the source, the offset
/// where known, what was expected and found; an image over `max_pixels` is refused before memory is taken.
Image decode_image(std::string_view bytes, const std::string& name, int64_t max_pixels = int64_t{1} << 28);

/// Reads and decodes; throws Error.
Image read_image(const std::filesystem::path& path);

/// Scales with an antialiasing triangle filter (as PIL's BILINEAR) so that the image covers size x size, then cuts
/// the centre. `stretch` ignores the aspect ratio instead (the released code of Rainbow Memory does).
Image resize_to_square(const Image& image, int64_t size, bool stretch = false);

/// PNG bytes of an image.
std::string encode_png(const Image& image);

/// True for the file name endings that decode_image understands (.jpg .jpeg .png, any case).
bool is_image_name(const std::filesystem::path& path);

}  // namespace perennial
