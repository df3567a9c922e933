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
/// alpha composed over white, interlaced) to RGB. Hostile input gives an Error that names the source, the
/// offset where known, what was expected and found; an image over `max_pixels` is refused before memory is
/// taken. With `cover` > 0 a JPEG may come at 1/2, 1/4 or 1/8 of its size, as long as its shorter side keeps
/// at least twice `cover` pixels: enough for a following resize to `cover`, and several times faster on
/// photographs.
Image decode_image(std::string_view bytes, const std::string& name, int64_t max_pixels = int64_t{1} << 28,
                   int64_t cover = 0);

/// Reads and decodes; throws Error.
Image read_image(const std::filesystem::path& path, int64_t cover = 0);

/// Height and width as stored, before any rotation; zeros when unknown.
struct ImageSize {
  int64_t height = 0, width = 0;
  bool operator==(const ImageSize&) const = default;
};

/// The size that the first bytes of a JPEG or PNG state; zeros when they do not reach that far.
ImageSize peek_image_size(std::string_view head);

/// The same from a file, of which it reads little; zeros when it cannot be read.
ImageSize read_image_size(const std::filesystem::path& path);

/// Scales with an antialiasing triangle filter (as PIL's BILINEAR, to the bit) so that the image covers
/// size x size, of which the centre is kept. `stretch` ignores the aspect ratio instead (the released code of
/// Rainbow Memory does).
Image resize_to_square(const Image& image, int64_t size, bool stretch = false);

/// Grey of a colour: the luma weights .299 .587 .114, rounded as Pillow does.
uint8_t luma(uint8_t r, uint8_t g, uint8_t b);

/// The image in 1 (grey, by the luma weights .299 .587 .114) or 3 channels.
Image with_channels(const Image& image, int64_t channels);

/// PNG bytes of an image.
std::string encode_png(const Image& image);

/// True for the file name endings that decode_image understands (.jpg .jpeg .png, any case).
bool is_image_name(const std::filesystem::path& path);

}  // namespace perennial
