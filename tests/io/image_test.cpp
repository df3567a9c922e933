#include "perennial/io/image.h"

#include <cmath>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image_fixtures.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "tests/base/temporary_folder.h"

namespace perennial {
namespace {

using namespace perennial::testing;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// The largest difference of any byte; 256 when the forms differ.
int distance(const Image& a, const Image& b) {
  if (a.channels != b.channels || a.height != b.height || a.width != b.width) return 256;
  int worst = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) worst = std::max(worst, std::abs(a.pixels[i] - b.pixels[i]));
  return worst;
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Jpeg, ColourBaselineAndProgressive) {
  const Image image = gradient(37, 53);
  EXPECT_LE(distance(decode_image(jpeg_rgb(image), "a.jpg"), image), 6);
  EXPECT_LE(distance(decode_image(jpeg_rgb(image, 95, true), "a.jpg"), image), 16);
}

TEST(Jpeg, GreyBecomesThreeEqualPlanes) {
  const Image grey = with_channels(gradient(20, 30), 1);
  const Image decoded = decode_image(jpeg_grey(grey), "a.jpg");
  EXPECT_LE(distance(decoded, with_channels(grey, 3)), 4);
}

TEST(Jpeg, AdobeRgbIsNotTakenForYCbCr) {
  const Image image = gradient(24, 40);
  EXPECT_LE(distance(decode_image(jpeg_adobe_rgb(image), "a.jpg"), image), 5);
}

/// Ink as Adobe stores it: 255 - amount.
std::vector<uint8_t> stored_ink(int c, int m, int y, int k, int pixels) {
  std::vector<uint8_t> out;
  for (int i = 0; i < pixels; ++i)
    for (const int ink : {c, m, y, k}) out.push_back(static_cast<uint8_t>(255 - ink));
  return out;
}

TEST(Jpeg, YcckIsInkOnPaper) {
  // Cyan and a quarter of black: no red, three quarters of green and blue.
  const Image image = decode_image(jpeg_ycck(stored_ink(255, 0, 0, 64, 16 * 16), 16, 16), "ink.jpg");
  EXPECT_NEAR(image.pixels[0], 0, 4);
  EXPECT_NEAR(image.pixels[256], 191, 4);
  EXPECT_NEAR(image.pixels[512], 191, 4);
}

TEST(Jpeg, CmykWithoutConversionFollowsTheAdobeMarker) {
  // Equal inks: the encoder's luma is the ink and its chroma 128, which transform 0 reads as stored inks.
  std::string jpeg = jpeg_ycck(stored_ink(155, 155, 155, 55, 16 * 16), 16, 16);
  const size_t adobe = jpeg.find("Adobe");
  ASSERT_NE(adobe, std::string::npos);
  jpeg[adobe + 11] = 0;
  const Image inverted = decode_image(jpeg, "ink.jpg");
  EXPECT_NEAR(inverted.pixels[0], 155 * 200 / 255, 3);
  EXPECT_NEAR(inverted.pixels[256], 128 * 200 / 255, 3);
  jpeg[adobe] = 'a';  // an unknown program: inks as they are
  const Image plain = decode_image(jpeg, "ink.jpg");
  EXPECT_NEAR(plain.pixels[0], 100 * 55 / 255, 3);
  EXPECT_NEAR(plain.pixels[256], 127 * 55 / 255, 3);
}

/// Where the upright pixel (y, x) lies in a stored image of h x w, by the EXIF standard.
std::pair<int64_t, int64_t> stored_place(int orientation, int64_t y, int64_t x, int64_t h, int64_t w) {
  switch (orientation) {
    case 2: return {y, w - 1 - x};
    case 3: return {h - 1 - y, w - 1 - x};
    case 4: return {h - 1 - y, x};
    case 5: return {x, y};
    case 6: return {h - 1 - x, y};
    case 7: return {h - 1 - x, w - 1 - y};
    case 8: return {x, w - 1 - y};
    default: return {y, x};
  }
}

TEST(Jpeg, EveryExifOrientation) {
  const std::string jpeg = jpeg_rgb(gradient(24, 40));
  const Image stored = decode_image(jpeg, "plain.jpg");
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (const bool little : {true, false}) {
      const Image image = decode_image(with_segment(jpeg, 0xE1, exif(orientation, little)), "turned.jpg");
      ASSERT_EQ(image.height, orientation < 5 ? 24 : 40);
      ASSERT_EQ(image.width, orientation < 5 ? 40 : 24);
      for (int64_t c = 0; c < 3; ++c)
        for (int64_t y = 0; y < image.height; ++y)
          for (int64_t x = 0; x < image.width; ++x) {
            const auto [sy, sx] = stored_place(orientation, y, x, 24, 40);
            ASSERT_EQ(image.pixels[static_cast<size_t>((c * image.height + y) * image.width + x)],
                      stored.pixels[static_cast<size_t>((c * 24 + sy) * 40 + sx)])
                << "orientation " << orientation << " at " << c << ", " << y << ", " << x;
          }
    }
}

TEST(Jpeg, MalformedExifIsIgnored) {
  const std::string jpeg = jpeg_rgb(gradient(8, 8));
  const Image plain = decode_image(jpeg, "a.jpg");
  const std::string whole = exif(6, true);
  for (size_t cut = 6; cut < whole.size() - 8; ++cut)
    EXPECT_EQ(distance(decode_image(with_segment(jpeg, 0xE1, whole.substr(0, cut)), "a.jpg"), plain), 0)
        << cut;
  EXPECT_EQ(distance(decode_image(with_segment(jpeg, 0xE1, exif(9, true)), "a.jpg"), plain), 0);
}

TEST(Jpeg, CutAnywhereIsAnErrorUntilOnlyTheEndMarkerIsMissing) {
  const Image image = gradient(48, 48);
  for (const bool progressive : {false, true}) {
    const std::string jpeg = jpeg_rgb(image, 80, progressive);
    const Image whole = decode_image(jpeg, "whole.jpg");
    for (size_t cut = 0; cut < jpeg.size() - 2; ++cut) {
      // The last bits may be padding, so that nothing is lost with them.
      Image seen;
      EXPECT_THROW(seen = decode_image(std::string_view(jpeg).substr(0, cut), "cut.jpg"), Error)
          << cut << " of " << jpeg.size();
    }
    for (size_t cut = jpeg.size() - 2; cut < jpeg.size(); ++cut)
      EXPECT_EQ(decode_image(std::string_view(jpeg).substr(0, cut), "cut.jpg").pixels, whole.pixels);
    EXPECT_EQ(
        decode_image(jpeg.substr(0, jpeg.size() - 2) + std::string("\0\0trailer of a phone", 20), "a.jpg")
            .pixels,
        whole.pixels);
  }
  const std::string jpeg = jpeg_rgb(image);
  EXPECT_THAT(error_of([&] { decode_image(jpeg.substr(0, jpeg.size() / 2), "cut.jpg"); }),
              AllOf(HasSubstr("cut.jpg"), HasSubstr("premature end")));
}

TEST(Jpeg, DamageInTheMiddleIsAnErrorWhateverFollows) {
  // Half of the data, then a marker with bytes before it: a decoder's last warning is about those.
  const std::string jpeg = jpeg_rgb(gradient(64, 64));
  const size_t scan = jpeg.find("\xFF\xDA");
  const std::string half = jpeg.substr(0, scan + (jpeg.size() - scan) / 2);
  EXPECT_THROW(decode_image(half + std::string("\xFF\xD9\0\0\0\0\xFF\xD9", 8), "a.jpg"), Error);
}

TEST(Jpeg, FlippedBitsGiveAnImageOfTheStatedSizeOrAnError) {
  const std::string jpeg = with_segment(jpeg_rgb(gradient(32, 32), 60), 0xE1, exif(6, false));
  int errors = 0;
  for (size_t bit = 0; bit < 8 * jpeg.size(); bit += 3) {
    std::string bad = jpeg;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    try {
      const Image image = decode_image(bad, "bad.jpg", 1 << 20);
      EXPECT_EQ(image.pixels.size(), static_cast<size_t>(3 * image.height * image.width));
    } catch (const Error&) {
      ++errors;
    }
  }
  EXPECT_GT(errors, 50);
}

TEST(Jpeg, ReducedDecodingKeepsTwiceTheNeededSide) {
  const std::string jpeg = jpeg_rgb(gradient(301, 403));
  const Image quarter = decode_image(jpeg, "a.jpg", 1 << 28, 30);
  EXPECT_EQ(quarter.height, 76);
  EXPECT_EQ(quarter.width, 101);
  EXPECT_LE(distance(resize_to_square(quarter, 30), resize_to_square(gradient(301, 403), 30)), 4);
  EXPECT_EQ(decode_image(jpeg, "a.jpg", 1 << 28, 200).height, 301);
}

int widen(int value, int depth) {
  return depth == 16 ? (value * 255 + 32767) / 65535 : value * 255 / ((1 << depth) - 1);
}

int on_white(int value, int alpha) { return (value * alpha + 255 * (255 - alpha) + 127) / 255; }

/// What pixel (y, x) must decode to, channel c.
int expected_pixel(const PngForm& form, const std::function<int(int, int, int)>& sample, int y, int x,
                   int c) {
  const auto value = [&](int i) { return widen(sample(y, x, i), form.depth); };
  const auto is_key = [&](int channels) {
    for (int i = 0; i < channels; ++i)
      if (sample(y, x, i) != sample(0, 0, i)) return false;
    return form.transparent;
  };
  if (form.colour == 0) return is_key(1) ? 255 : value(0);
  if (form.colour == 2) return is_key(3) ? 255 : value(c);
  if (form.colour == 4) return on_white(value(0), value(1));
  if (form.colour == 6) return on_white(value(c), value(3));
  const auto entry = palette_entry(sample(y, x, 0));
  return form.transparent ? on_white(entry[static_cast<size_t>(c)], entry[3]) : entry[static_cast<size_t>(c)];
}

std::vector<PngForm> every_png_form() {
  std::vector<PngForm> forms;
  for (const int colour : {0, 2, 3, 4, 6})
    for (const int depth : {1, 2, 4, 8, 16})
      for (const bool interlaced : {false, true})
        for (const bool transparent : {false, true}) {
          const bool exists = colour == 0 || (colour == 3 ? depth <= 8 : depth >= 8);
          if (exists && (!transparent || colour < 4))
            forms.push_back({depth, colour, interlaced, transparent});
        }
  return forms;
}

TEST(Png, EveryDepthColourTransparencyAndInterlacing) {
  const int height = 13, width = 19;
  for (const PngForm& form : every_png_form()) {
    const auto sample = [&](int y, int x, int c) {
      return (y * 7919 + x * 104729 + c * 31337 + y * x * 17) & ((1 << form.depth) - 1);
    };
    const Image image = decode_image(png_of(form, height, width, sample), "a.png");
    ASSERT_EQ(image.channels, 3);
    ASSERT_EQ(image.height, height);
    ASSERT_EQ(image.width, width);
    for (int c = 0; c < 3; ++c)
      for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
          ASSERT_EQ(image.pixels[static_cast<size_t>((c * height + y) * width + x)],
                    expected_pixel(form, sample, y, x, c))
              << "colour " << form.colour << " depth " << form.depth << " interlaced " << form.interlaced
              << " transparent " << form.transparent << " at " << c << ", " << y << ", " << x;
  }
}

TEST(Png, EncodedImagesComeBack) {
  const Image image = gradient(11, 17);
  EXPECT_EQ(decode_image(encode_png(image), "a.png").pixels, image.pixels);
  const Image grey = with_channels(image, 1);
  EXPECT_EQ(decode_image(encode_png(grey), "a.png").pixels, with_channels(grey, 3).pixels);
  EXPECT_THROW(encode_png({3, 2, 2, {1, 2, 3}}), std::invalid_argument);
}

TEST(Png, CutAnywhereIsAnErrorWithItsOffset) {
  const std::string png = encode_png(gradient(9, 9));
  for (size_t cut = 0; cut < png.size(); ++cut)
    EXPECT_THROW(decode_image(std::string_view(png).substr(0, cut), "cut.png"), Error) << cut;
  EXPECT_THAT(error_of([&] { decode_image(png.substr(0, 60), "cut.png"); }), HasSubstr("offset 60"));
}

TEST(Png, EverySingleFlippedBitIsNoticed) {
  const auto sample = [](int y, int x, int) { return (y + x) % 16; };
  const std::string png = png_of({4, 3, false, true}, 6, 6, sample);
  for (size_t bit = 0; bit < 8 * png.size(); ++bit) {
    std::string bad = png;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    EXPECT_THROW(decode_image(bad, "bad.png"), Error) << "bit " << bit;
  }
}

TEST(Image, TooManyPixelsAreRefused) {
  const Image image = gradient(20, 20);
  for (const std::string& bytes : {jpeg_rgb(image), encode_png(image)}) {
    EXPECT_NO_THROW(decode_image(bytes, "a", 400));
    EXPECT_THAT(error_of([&] { decode_image(bytes, "a", 399); }), HasSubstr("at most 399 pixels"));
  }
}

TEST(Image, AHeaderThatPromisesMoreThanTheDataIsRefused) {
  std::string jpeg = jpeg_rgb(gradient(16, 16));
  const size_t frame = jpeg.find("\xFF\xC0");
  jpeg[frame + 5] = jpeg[frame + 7] = 0x2B;
  EXPECT_THAT(error_of([&] { decode_image(jpeg, "bomb.jpg"); }),
              HasSubstr("expected data for 11024 x 11024 pixels"));
}

TEST(Image, OtherFilesAreRefused) {
  EXPECT_THAT(error_of([] { decode_image("", "none"); }), HasSubstr("an empty file"));
  EXPECT_THAT(error_of([] { decode_image("GIF89a", "a.gif"); }), HasSubstr("a.gif"));
  EXPECT_THROW(read_image("/nonexistent/a.png"), Error);
}

TEST(Image, PeekedSizes) {
  const Image image = gradient(21, 34);
  const ImageSize size{21, 34};
  const std::string jpeg = with_segment(jpeg_rgb(image), 0xE1, std::string(60000, 'x'));
  EXPECT_EQ(peek_image_size(encode_png(image).substr(0, 32)), size);
  EXPECT_EQ(peek_image_size(jpeg), size);
  EXPECT_EQ(peek_image_size(std::string_view(jpeg).substr(0, 4096)), ImageSize{});
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "peek.jpg";
  write_file_atomic(file, jpeg);
  EXPECT_EQ(read_image_size(file), size);
  std::filesystem::remove(file);
  EXPECT_EQ(read_image_size(file), ImageSize{});
}

TEST(Image, Names) {
  for (const char* name : {"a.jpg", "b.JPEG", "c/d.Png", "e.jfif", "f.jpe", "g.WebP", "h.tif"})
    EXPECT_TRUE(is_image_name(name)) << name;
  for (const char* name : {"a.heic", "jpg", "a.jpg.txt", ""}) EXPECT_FALSE(is_image_name(name)) << name;
}

/// The same filter in plain floating point, both axes at once.
double triangle(const Image& image, double top, double left, double scale, int64_t c, int64_t y, int64_t x) {
  const double support = std::max(1.0, scale);
  const double cy = top + (static_cast<double>(y) + 0.5) * scale,
               cx = left + (static_cast<double>(x) + 0.5) * scale;
  double sum = 0, weights = 0;
  for (int64_t i = 0; i < image.height; ++i)
    for (int64_t j = 0; j < image.width; ++j) {
      const double dy = std::abs(static_cast<double>(i) + 0.5 - cy) / support;
      const double dx = std::abs(static_cast<double>(j) + 0.5 - cx) / support;
      const double w = std::max(0.0, 1 - dy) * std::max(0.0, 1 - dx);
      sum += w * image.pixels[static_cast<size_t>((c * image.height + i) * image.width + j)];
      weights += w;
    }
  return sum / weights;
}

TEST(Resize, EqualsTheTriangleFilterOverTheCentralSquare) {
  Image image = gradient(31, 23);
  for (size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<uint8_t>(image.pixels[i] ^ (i * 73));
  for (const int64_t size : {5, 16, 23, 40}) {
    const Image small = resize_to_square(image, size);
    const double scale = 23.0 / static_cast<double>(size);
    for (int64_t c = 0; c < 3; ++c)
      for (int64_t y = 0; y < size; ++y)
        for (int64_t x = 0; x < size; ++x)
          ASSERT_NEAR(small.pixels[static_cast<size_t>((c * size + y) * size + x)],
                      triangle(image, 4, 0, scale, c, y, x), 1.01)
              << size << " at " << c << ", " << y << ", " << x;
  }
}

TEST(Resize, StretchKeepsTheBordersThatCoverCutsOff) {
  Image image{1, 4, 12, std::vector<uint8_t>(48, 0)};
  for (size_t y = 0; y < 4; ++y) image.pixels[y * 12] = image.pixels[y * 12 + 11] = 255;
  const Image cut = resize_to_square(image, 4), squeezed = resize_to_square(image, 4, true);
  EXPECT_EQ(*std::max_element(cut.pixels.begin(), cut.pixels.end()), 0);
  EXPECT_GT(squeezed.pixels[0], 60);
  EXPECT_GT(squeezed.pixels[3], 60);
}

TEST(Resize, RightSizeIsUntouchedAndBadSizesAreRefused) {
  const Image image = gradient(16, 16);
  EXPECT_EQ(resize_to_square(image, 16).pixels, image.pixels);
  EXPECT_THROW(resize_to_square(image, 0), std::invalid_argument);
  EXPECT_THROW(resize_to_square({}, 8), std::invalid_argument);
}

}  // namespace
}  // namespace perennial
