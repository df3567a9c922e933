#include "perennial/io/image_mask.h"

#include <array>
#include <functional>
#include <png.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/error.h"

namespace perennial {
namespace {

using Pixel = std::array<uint8_t, 4>;
constexpr int kSide = 8;

/// A PNG of 8 x 8 pixels; the left half of a person.
std::string rgba_png(const std::function<Pixel(bool person, int at)>& pixel) {
  std::vector<uint8_t> pixels;
  for (int i = 0; i < kSide * kSide; ++i) {
    const Pixel p = pixel(i % kSide < kSide / 2, i);
    pixels.insert(pixels.end(), p.begin(), p.end());
  }
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = png.height = kSide;
  png.format = PNG_FORMAT_RGBA;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::string out(size, '\0');
  png_image_write_to_memory(&png, out.data(), &size, 0, pixels.data(), 0, nullptr);
  out.resize(size);
  return out;
}

void expect_left_half(const std::string& png) {
  const Image mask = decode_mask(png, "mask");
  ASSERT_EQ(mask.channels, 1);
  ASSERT_EQ(mask.pixels.size(), 64U);
  for (size_t i = 0; i < 64; ++i) EXPECT_EQ(mask.pixels[i], i % 8 < 4 ? 255 : 0) << i;
}

uint8_t white_if(bool yes) { return yes ? 255 : 0; }

TEST(Masks, InTheAlphaUnderOneColourAreRead) {
  for (const uint8_t colour : {uint8_t{0}, uint8_t{255}, uint8_t{90}})
    expect_left_half(
        rgba_png([&](bool person, int) { return Pixel{colour, colour, colour, white_if(person)}; }));
  // What cannot be seen has any colour.
  expect_left_half(rgba_png([](bool person, int at) {
    return person ? Pixel{255, 255, 255, 255} : Pixel{static_cast<uint8_t>(at), 7, 9, 0};
  }));
}

TEST(Masks, InGreyAreReadWhateverTheSameAlphaSays) {
  expect_left_half(rgba_png([](bool person, int) {
    const uint8_t grey = white_if(person);
    return Pixel{grey, grey, grey, 255};
  }));
  expect_left_half(rgba_png([](bool person, int at) {
    const uint8_t grey = person ? 255 : at % 2 == 0 ? 3 : 0;
    return Pixel{grey, grey, grey, white_if(person)};
  }));
}

TEST(Masks, ThatSayTwoThingsAreRefused) {
  const std::string png = rgba_png(
      [](bool person, int at) { return Pixel{static_cast<uint8_t>(4 * at), 100, 50, white_if(person)}; });
  try {
    decode_mask(png, "cutout.png");
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::AllOf(testing::HasSubstr("cutout.png"), testing::HasSubstr("alpha")));
  }
}

TEST(Masks, AlphaIsSeenByTheChunksThatGiveIt) {
  EXPECT_TRUE(has_alpha(rgba_png([](bool, int) { return Pixel{0, 0, 0, 9}; })));
  EXPECT_FALSE(has_alpha(encode_png({3, 8, 8, std::vector<uint8_t>(192, 1)})));
  EXPECT_FALSE(has_alpha(""));
  EXPECT_EQ(decode_mask(encode_png({1, 2, 2, {0, 1, 0, 1}}), "m").pixels, (std::vector<uint8_t>{0, 1, 0, 1}));
}

}  // namespace
}  // namespace perennial
