#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/io/image.h"
#include "tests/base/temporary_folder.h"

namespace perennial {
namespace {

using ::testing::HasSubstr;

struct Golden {
  std::string_view name;
  int64_t height, width;
  std::string_view file, pixels;
};

constexpr std::array kGoldens = std::to_array<Golden>({
#include "image_goldens.inc"
});

std::string error_of(std::string_view bytes, int64_t max_pixels = max_image_pixels()) {
  try {
    decode_image(bytes, "a.jpg", max_pixels);
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

/// Alpha is rounded once more by some decoders; inks and lossy codes by their versions.
int tolerance(std::string_view name) {
  const auto has = [name](std::string_view part) { return name.find(part) != std::string_view::npos; };
  return has("jpeg") || has("lossy") ? 3 : has("alpha") || has("cmyk") || has("16") ? 1 : 0;
}

TEST(Formats, AllLookAsPillowSeesThem) {
  for (const Golden& golden : kGoldens) {
    SCOPED_TRACE(golden.name);
    Image image;
    ASSERT_NO_THROW(image = decode_image(golden.file, std::string(golden.name)));
    ASSERT_EQ(image.channels, 3);
    ASSERT_EQ(image.height, golden.height);
    ASSERT_EQ(image.width, golden.width);
    int worst = 0;
    for (size_t i = 0; i < image.pixels.size(); ++i)
      worst = std::max(worst, std::abs(image.pixels[i] - static_cast<unsigned char>(golden.pixels[i])));
    EXPECT_LE(worst, tolerance(golden.name));
  }
}

TEST(Formats, SizesAreKnownBeforeDecoding) {
  for (const Golden& golden : kGoldens) {
    const ImageSize size = peek_image_size(golden.file);
    EXPECT_EQ(size.height * size.width, golden.height * golden.width) << golden.name;
    EXPECT_TRUE(is_image(golden.file.substr(0, 64))) << golden.name;
  }
}

TEST(Formats, CutAnywhereTheyAreAnErrorOrWhole) {
  for (const Golden& golden : kGoldens) {
    if (golden.name.starts_with("jpeg") || golden.name.starts_with("png")) continue;  // image_test.cpp
    for (size_t cut = 0; cut < golden.file.size(); ++cut) {
      try {
        const Image image = decode_image(golden.file.substr(0, cut), "cut");
        EXPECT_EQ(std::vector<uint8_t>(golden.pixels.begin(), golden.pixels.end()).size(),
                  image.pixels.size());
        int worst = 0;  // what may be missing is an end marker, padding, or a further picture
        for (size_t i = 0; i < image.pixels.size(); ++i)
          worst = std::max(worst, std::abs(image.pixels[i] - static_cast<unsigned char>(golden.pixels[i])));
        EXPECT_LE(worst, 3) << golden.name << " cut at " << cut << " of " << golden.file.size();
      } catch (const Error&) {
      }
    }
  }
}

TEST(Formats, FlippedBitsGiveAnImageOrAnError) {
  constexpr int64_t kMaxPixels = 1 << 16;
  for (const Golden& golden : kGoldens)
    for (size_t bit = 0; bit < 8 * golden.file.size(); bit += 3) {
      std::string bad(golden.file);
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
      try {
        const Image image = decode_image(bad, "bad", kMaxPixels);
        ASSERT_LE(image.height * image.width, kMaxPixels);
        ASSERT_EQ(image.pixels.size(), static_cast<size_t>(3 * image.height * image.width));
      } catch (const Error&) {
      }
    }
}

TEST(Formats, TheLimitNamesItself) {
  for (const Golden& golden : kGoldens) {
    const int64_t area = golden.height * golden.width;
    EXPECT_EQ(error_of(golden.file, area), "no error") << golden.name;
    EXPECT_THAT(error_of(golden.file, area - 1), HasSubstr("at most 34 pixels (PERENNIAL_MAX_PIXELS)"))
        << golden.name;
  }
}

TEST(Formats, TheVariableRaisesAndLowersTheLimit) {
  const std::string_view file = kGoldens[0].file;
  setenv("PERENNIAL_MAX_PIXELS", "20", 1);
  EXPECT_THAT(error_of(file), HasSubstr("at most 20 pixels"));
  setenv("PERENNIAL_MAX_PIXELS", "many", 1);
  EXPECT_THROW(max_image_pixels(), std::invalid_argument);
  setenv("PERENNIAL_MAX_PIXELS", "", 1);
  EXPECT_EQ(max_image_pixels(), 128'000'000);
  unsetenv("PERENNIAL_MAX_PIXELS");
}

/// A header of each format that promises a billion pixels.
TEST(Formats, HeadersThatPromiseMuchTakeNoMemory) {
  using namespace std::string_view_literals;
  const std::vector<std::string_view> files{
      "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x7F\xFF\0\0\x7F\xFF\x08\x02\0\0\0"sv,
      "GIF89a\xFF\xFF\xFF\xFF\0\0\0,\0\0\0\0\xFF\xFF\xFF\xFF\0\x02\x01\x44\0;"sv,
      "BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\xFF\x7F\0\0\xFF\x7F\0\0\x01\0\x18\0"sv,
      "RIFF\x1e\0\0\0WEBPVP8L\x11\0\0\0\x2f\xff\xff\xff\x0f\0\0\0\0\0\0\0\0\0\0\0\0\0"sv,
      "II*\0\x08\0\0\0\x04\0\0\x01\x04\0\x01\0\0\0\xFF\x7F\0\0\x01\x01\x04\0\x01\0\0\0\xFF\x7F\0\0"
      "\x11\x01\x04\0\x01\0\0\0\x08\0\0\0\x17\x01\x04\0\x01\0\0\0\x08\0\0\0\0\0\0\0"sv};
  const int64_t before = peak_resident_bytes();
  for (const auto file : files) EXPECT_THAT(error_of(file), HasSubstr("at most 128000000 pixels"));
  EXPECT_LT(peak_resident_bytes() - before, 32 << 20);
}

std::string media(const std::string& brand) {
  return std::string("\0\0\0\x18", 4) + "ftyp" + brand + std::string(4, '\0') + brand + "mif1";
}

TEST(Formats, WhatIsNotReadIsNamed) {
  using namespace std::string_literals;
  const std::vector<std::pair<std::string, std::string>> files{
      {media("heic"), "HEIC; convert it to JPEG"},
      {media("avif"), "AVIF"},
      {media("isom"), "HEIC"},  // mif1 among its brands
      {"\0\0\0\x14"s + "ftypisom" + "\0\0\0\0isom"s, "MP4 video"},
      {"\0\0\0\x14"s + "ftypqt  " + "\0\0\0\0qt  "s, "QuickTime video"},
      {"\xFF\x0A\0\0"s, "JPEG XL"},
      {"8BPS\0\1"s, "Photoshop (PSD)"},
      {"%PDF-1.4", "PDF"},
      {"<?xml version='1.0'?>\n<SVG width='1'>", "SVG"},
      {"\n<!DOCTYPE html><html>", "HTML page"},
      {"P6\n2 2\n255\n", "PNM"},
      {"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"},
      {"\0\5\x16\7\0\2"s, "AppleDouble"}};
  for (const auto& [bytes, name] : files) EXPECT_THAT(error_of(bytes), HasSubstr("found " + name));
  EXPECT_THAT(error_of("rubbish"), HasSubstr("found something else"));
}

// libtiff would take the planes of such a file for grey ones.
TEST(Formats, ATiffOfCielabColoursIsRefused) {
  using namespace std::string_literals;
  const auto golden =
      std::find_if(kGoldens.begin(), kGoldens.end(), [](const Golden& g) { return g.name == "tiff"; });
  ASSERT_NE(golden, kGoldens.end());
  std::string file(golden->file);
  const std::string rgb =
      "\x06\x01\x03\0\x01\0\0\0\x02"s;  // PhotometricInterpretation, one short number: RGB
  const size_t tag = file.find(rgb);
  ASSERT_NE(tag, std::string::npos);
  for (const char form : {'\x08', '\x09', '\x0A'}) {  // CIE, ICC and ITU L*a*b*
    file[tag + rgb.size() - 1] = form;
    EXPECT_THAT(error_of(file), HasSubstr("found photometric form " + std::to_string(int{form})));
  }
}

}  // namespace
}  // namespace perennial
