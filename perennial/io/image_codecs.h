#pragma once

#include "perennial/io/image.h"

// What the parts of the image decoder share; callers use image.h.
namespace perennial {

/// Throws the Error of a bad image called `name`.
[[noreturn]] void bad_image(const std::string& name, const std::string& expected, const std::string& found);

/// Refuses sizes of zero and areas over `max_pixels`.
void check_image_size(const std::string& name, int64_t height, int64_t width, int64_t max_pixels);

/// One file format. `decode` may take `cover` into account (decode_image).
struct ImageCodec {
  bool (*is)(std::string_view head);
  ImageSize (*peek)(std::string_view bytes);
  Image (*decode)(std::string_view bytes, const std::string& name, int64_t max_pixels, int64_t cover);
};
extern const ImageCodec kJpegCodec, kPngCodec, kWebpCodec, kGifCodec, kBmpCodec, kTiffCodec;

bool is_png(std::string_view bytes);

/// Numbers of 16 and 32 bits at offsets of untrusted bytes; what lies outside reads as 0.
class Numbers {
 public:
  Numbers(std::string_view bytes, bool little_endian) : bytes_(bytes), little_(little_endian) {}
  uint32_t u8(size_t at) const { return at < bytes_.size() ? static_cast<unsigned char>(bytes_[at]) : 0; }
  uint32_t u16(size_t at) const { return little_ ? u8(at) | u8(at + 1) << 8 : u8(at) << 8 | u8(at + 1); }
  uint32_t u32(size_t at) const {
    return little_ ? u16(at) | u16(at + 2) << 16 : u16(at) << 16 | u16(at + 2);
  }

 private:
  std::string_view bytes_;
  bool little_;
};

/// Orientation 1..8 that EXIF (a TIFF block, with or without "Exif\0\0" before it) or an XMP packet states;
/// 0 when it states none or is malformed.
int exif_orientation(std::string_view bytes);
int xmp_orientation(std::string_view packet);

/// The same from the chunks of a PNG: eXIf, ImageMagick's raw profiles, XMP.
int png_orientation(std::string_view png);

/// Lays RGBA over white, in place: RGB remains. Colours of `premultiplied` pixels hold their alpha already.
void over_white(std::vector<uint8_t>& pixels, bool premultiplied = false);

/// Planar RGB from interleaved RGB rows, turned upright from an orientation (0: as it is).
Image upright_planar(const uint8_t* rgb, int64_t height, int64_t width, int orientation);

}  // namespace perennial
