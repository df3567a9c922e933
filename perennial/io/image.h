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

/// The largest image that is decoded, in pixels: $PERENNIAL_MAX_PIXELS, else 128 million. Throws
/// std::invalid_argument when the variable holds no number.
int64_t max_image_pixels();

/// Decodes JPEG (grey, YCbCr, RGB, CMYK, YCCK), PNG (every bit depth, palette, interlaced), WebP, GIF, BMP or
/// TIFF to RGB, told apart by their content; the first image of several. Alpha is composed over white, and
/// the orientation that EXIF, XMP or TIFF states is honoured. Hostile input gives an Error that names the
/// source, the offset where known, what was expected and found; an image over `max_pixels` is refused by its
/// header, before memory is taken. With `cover` > 0 a JPEG may come at 1/2, 1/4 or 1/8 of its size, as long
/// as its shorter side keeps at least twice `cover` pixels: enough for a following resize to `cover`, and
/// several times faster on photographs.
Image decode_image(std::string_view bytes, const std::string& name, int64_t max_pixels = max_image_pixels(),
                   int64_t cover = 0);

/// The bytes of an image file; throws Error.
std::string read_image_bytes(const std::filesystem::path& path);

/// Reads and decodes; throws Error.
Image read_image(const std::filesystem::path& path, int64_t cover = 0);

/// Height and width as stored, before any rotation; zeros when unknown.
struct ImageSize {
  int64_t height = 0, width = 0;
  bool operator==(const ImageSize&) const = default;
};

/// The size that the first bytes of an image state; zeros when they do not reach that far (a TIFF's may not).
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

/// What a file is by its first bytes, for messages: "JPEG", "HEIC", "PDF"; "" when unknown.
std::string_view format_name(std::string_view bytes);

/// True when the first bytes are those of a format that decode_image reads.
bool is_image(std::string_view head);

/// True for the file name endings of the formats that decode_image reads (.jpg .jpeg .jpe .jfif .png .webp
/// .gif .bmp .dib .tif .tiff, any case).
bool is_image_name(const std::filesystem::path& path);

}  // namespace perennial
