#pragma once

#include "perennial/io/image.h"

// What the parts of the image decoder share; callers use image.h.
namespace perennial {

/// Throws the Error of a bad image called `name`.
[[noreturn]] void bad_image(const std::string& name, const std::string& expected, const std::string& found);

/// Refuses sizes of zero and areas over `max_pixels`.
void check_image_size(const std::string& name, int64_t height, int64_t width, int64_t max_pixels);

bool is_jpeg(std::string_view bytes);
bool is_png(std::string_view bytes);
Image decode_jpeg(std::string_view bytes, const std::string& name, int64_t max_pixels, int64_t cover);
Image decode_png(std::string_view bytes, const std::string& name, int64_t max_pixels);

/// Orientation 1..8 from a TIFF block (the content of EXIF); 1 when it states none or is malformed.
int exif_orientation(std::string_view tiff);

/// Planar RGB from interleaved RGB rows, turned upright.
Image upright_planar(const uint8_t* rgb, int64_t height, int64_t width, int orientation);

}  // namespace perennial
