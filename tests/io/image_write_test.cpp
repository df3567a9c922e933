#include "perennial/io/image_write.h"

#include <cstdlib>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/files.h"
#include "tests/base/temporary_folder.h"

namespace perennial {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Image slope(int64_t channels) {
  Image image{channels, 32, 48, {}};
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t y = 0; y < 32; ++y)
      for (int64_t x = 0; x < 48; ++x)
        image.pixels.push_back(static_cast<uint8_t>(4 * x + 2 * y * (c + 1) / 3));
  return image;
}

int largest_difference(const Image& a, const Image& b) {
  EXPECT_EQ(a.pixels.size(), b.pixels.size());
  int most = 0;
  for (size_t i = 0; i < std::min(a.pixels.size(), b.pixels.size()); ++i)
    most = std::max(most, std::abs(a.pixels[i] - b.pixels[i]));
  return most;
}

TEST(WriteImage, TheEndingDecidesTheFormat) {
  const TemporaryFolder folder;
  for (const int64_t channels : {1, 3}) {
    const Image image = slope(channels), back = with_channels(image, 3);
    for (const char* name : {"a.png", "a.PNG"}) {
      write_image(folder / name, image);
      EXPECT_THAT(read_file(folder / name), StartsWith("\x89PNG"));
      EXPECT_EQ(read_image(folder / name).pixels, back.pixels);
    }
    for (const char* name : {"a.jpg", "a.JPEG", "a.jpe", "a.jfif"}) {
      write_image(folder / name, image);
      EXPECT_THAT(read_file(folder / name), StartsWith("\xFF\xD8\xFF"));
      EXPECT_LE(largest_difference(read_image(folder / name), back), 6) << name;
    }
    write_image(folder / "a.webp", image);
    EXPECT_EQ(read_file(folder / "a.webp").substr(8, 4), "WEBP");
    EXPECT_LE(largest_difference(read_image(folder / "a.webp"), back), 24);
  }
}

TEST(WriteImage, WhatCannotBeWrittenIsRefusedWithWhatCan) {
  const TemporaryFolder folder;
  for (const char* name : {"a.bmp", "a", "a.mp4", "a.peb"}) {
    try {
      write_image(folder / name, slope(3));
      ADD_FAILURE() << name;
    } catch (const std::invalid_argument& e) {
      EXPECT_THAT(e.what(), HasSubstr(".png, .jpg, .jpeg"));
    }
    EXPECT_FALSE(std::filesystem::exists(folder / name));
  }
  EXPECT_THROW(encode_jpeg({3, 1, 70000, std::vector<uint8_t>(210000)}), std::invalid_argument);
  EXPECT_THROW(encode_jpeg({2, 1, 1, {0, 0}}), std::invalid_argument);
  EXPECT_THROW(encode_png({3, 1, 1, {0}}), std::invalid_argument);
}

}  // namespace
}  // namespace perennial
