// Every kernel against Pillow, bit for bit; make_augment_goldens.py made the expected values.
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "perennial/data/augment/affine.h"
#include "perennial/data/augment/autoaugment.h"
#include "perennial/data/augment/pixel_ops.h"

namespace perennial {
namespace {

struct Golden {
  std::string picture;
  int channels, height, width;
  std::string operation;
  double value;
  uint64_t digest;
  std::string bytes;
};

const Golden kGoldens[] = {
#include "augment_goldens.inc"
};

std::vector<uint8_t> picture(const Golden& golden) {
  std::vector<uint8_t> pixels;
  for (int c = 0; c < golden.channels; ++c)
    for (int y = 0; y < golden.height; ++y)
      for (int x = 0; x < golden.width; ++x) {
        const int texture = x * 7 + y * 13 + c * 29 + x * y * (c + 1) % 31 * 5;
        const int dull = 90 + c * 10 + (c == 1 ? 0 : (x / 2 + y) % 5 * 9);
        pixels.push_back(static_cast<uint8_t>(golden.picture == "texture" ? texture : dull));
      }
  return pixels;
}

uint64_t fnv1a(const std::vector<uint8_t>& data) {
  uint64_t value = 0xCBF29CE484222325ULL;
  for (const uint8_t byte : data) value = (value ^ byte) * 0x100000001B3ULL;
  return value;
}

std::string hex(const std::vector<uint8_t>& data) {
  std::string text;
  for (const uint8_t byte : data)
    text += "0123456789abcdef"[byte >> 4], text += "0123456789abcdef"[byte & 15];
  return text;
}

using Operation = std::function<void(ImageView, double)>;

const std::map<std::string, Operation>& operations() {
  static const std::map<std::string, Operation> all{
      {"invert", [](ImageView i, double) { invert(i); }},
      {"autocontrast", [](ImageView i, double) { autocontrast(i); }},
      {"equalize", [](ImageView i, double) { equalize(i); }},
      {"solarize", [](ImageView i, double v) { solarize(i, static_cast<int>(v)); }},
      {"posterize", [](ImageView i, double v) { posterize(i, static_cast<int>(v)); }},
      {"brightness", [](ImageView i, double v) { brightness(i, static_cast<float>(v)); }},
      {"contrast", [](ImageView i, double v) { contrast(i, static_cast<float>(v)); }},
      {"colour", [](ImageView i, double v) { colour(i, static_cast<float>(v)); }},
      {"sharpness", [](ImageView i, double v) { sharpness(i, static_cast<float>(v)); }},
      {"rotate", [](ImageView i, double v) { rotate(i, v, kGrey); }},
      {"shear_x_nearest", [](ImageView i, double v) { shear_x_nearest(i, v, kBlack); }},
      {"shear_y_nearest", [](ImageView i, double v) { shear_y_nearest(i, v, kBlack); }},
      {"shear_x_bicubic", [](ImageView i, double v) { shear_x_bicubic(i, v, kGrey); }},
      {"shear_y_bicubic", [](ImageView i, double v) { shear_y_bicubic(i, v, kGrey); }},
      {"translate_x", [](ImageView i, double v) { translate(i, static_cast<int>(v), 0, kBlack); }},
      {"translate_y", [](ImageView i, double v) { translate(i, 0, static_cast<int>(v), kBlack); }},
      {"auto_translate_x",
       [](ImageView i, double v) {
         apply(AutoOp::kTranslateX, static_cast<int>(std::abs(v)), v < 0 ? -1 : 1, i);
       }},
      {"auto_translate_y",
       [](ImageView i, double v) {
         apply(AutoOp::kTranslateY, static_cast<int>(std::abs(v)), v < 0 ? -1 : 1, i);
       }},
  };
  return all;
}

TEST(AugmentGolden, EveryKernelGivesWhatPillowGives) {
  std::map<std::string, int> seen;
  for (const Golden& golden : kGoldens) {
    std::vector<uint8_t> pixels = picture(golden);
    const auto run = operations().find(golden.operation);
    ASSERT_NE(run, operations().end()) << golden.operation;
    run->second({pixels.data(), golden.channels, golden.height, golden.width}, golden.value);
    EXPECT_EQ(fnv1a(pixels), golden.digest)
        << golden.operation << " " << golden.value << " of " << golden.picture << " " << golden.channels
        << "x" << golden.height << "x" << golden.width;
    if (!golden.bytes.empty()) {
      EXPECT_EQ(hex(pixels), golden.bytes) << golden.operation << " " << golden.value;
    }
    ++seen[golden.operation];
  }
  EXPECT_EQ(seen.size(), operations().size());
}

}  // namespace
}  // namespace perennial
