#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "perennial/io/image.h"

// Images made in code, for the tests of image decoding.
namespace perennial::testing {

/// A smooth RGB picture whose four corners differ, so that every rotation shows.
Image gradient(int64_t height, int64_t width);

std::string jpeg_rgb(const Image& image, int quality = 95, bool progressive = false);
std::string jpeg_grey(const Image& image);
/// Four interleaved bytes a pixel as an Adobe program stores them (inverted), coded as YCCK.
std::string jpeg_ycck(const std::vector<uint8_t>& inverted_cmyk, int height, int width);
/// Three planes stored as they are, with an Adobe marker that says RGB.
std::string jpeg_adobe_rgb(const Image& image);

/// Puts a segment (marker byte, content) behind the start-of-image marker.
std::string with_segment(const std::string& jpeg, uint8_t marker, const std::string& content);
/// The content of an EXIF segment that states an orientation.
std::string exif(int orientation, bool little_endian);

struct PngForm {
  int depth = 8;
  int colour = 2;  ///< as PNG counts: 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA
  bool interlaced = false;
  bool transparent = false;  ///< writes a tRNS chunk (colours 0, 2, 3)
};
/// Palette entry i of the fixtures, RGBA; alpha counts when the form is transparent.
std::vector<int> palette_entry(int index);
/// `sample(y, x, c)` gives raw samples in the depth of the form. tRNS of grey and RGB names sample(0, 0, .).
std::string png_of(const PngForm& form, int height, int width,
                   const std::function<int(int, int, int)>& sample);

}  // namespace perennial::testing
