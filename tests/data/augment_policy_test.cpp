// The tables of AutoAugment and RandAugment, and the perturbation sets of Rainbow Memory.
#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <stdexcept>
#include <vector>

#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "perennial/base/random.h"
#include "perennial/data/augment.h"
#include "perennial/data/augment/affine.h"
#include "perennial/data/augment/autoaugment.h"
#include "perennial/data/augment/pixel_ops.h"
#include "perennial/data/augment/randaugment.h"

namespace perennial {
namespace {

/// One image that owns its pixels.
struct Picture {
  std::vector<uint8_t> pixels;
  int channels, height, width;
  ImageView view() { return {pixels.data(), channels, height, width}; }
};

Picture noise(int channels, int height, int width) {
  Picture picture{std::vector<uint8_t>(static_cast<size_t>(channels * height * width)), channels, height,
                  width};
  Random random(3, "picture");
  for (uint8_t& p : picture.pixels) p = static_cast<uint8_t>(1 + random.below(255));
  return picture;
}

/// Each value once, in one row.
Picture ramp() {
  Picture picture{std::vector<uint8_t>(256), 1, 1, 256};
  std::iota(picture.pixels.begin(), picture.pixels.end(), 0);
  return picture;
}

uint64_t hash_of(const std::vector<uint8_t>& pixels) {
  return hash64({reinterpret_cast<const char*>(pixels.data()), pixels.size()});
}

size_t values_in(const Picture& picture) {
  return std::set<uint8_t>(picture.pixels.begin(), picture.pixels.end()).size();
}

template <class Op>
std::vector<uint8_t> after(Picture picture, const Op& op) {
  op(picture.view());
  return picture.pixels;
}

TEST(AutoAugment, PosterizeKeepsTheBitsOfEachLevel) {
  constexpr std::array<int, 10> kBits{8, 8, 7, 7, 6, 6, 5, 5, 4, 4};
  for (int level = 0; level < 10; ++level) {
    Picture picture = ramp();
    apply(AutoOp::kPosterize, level, 1, picture.view());
    EXPECT_EQ(values_in(picture), 1U << kBits[static_cast<size_t>(level)]) << level;
  }
}

TEST(AutoAugment, SolarizeStartsAtTheThresholdOfEachLevel) {
  for (int level = 0; level < 10; ++level) {
    Picture picture = ramp();
    apply(AutoOp::kSolarize, level, 1, picture.view());
    for (int v = 0; v < 256; ++v)
      EXPECT_EQ(picture.pixels[static_cast<size_t>(v)], v < 256.0 - level * 256.0 / 9 ? v : 255 - v) << level;
  }
}

TEST(AutoAugment, LevelsScaleTheOtherOperations) {
  const Picture picture = noise(3, 32, 32);
  const auto at_level = [&](AutoOp op, int level, int sign) {
    return after(picture, [&](ImageView image) { apply(op, level, sign, image); });
  };
  const auto is = [&](const auto& op) { return after(picture, op); };
  EXPECT_EQ(at_level(AutoOp::kColour, 8, -1), is([](ImageView i) { colour(i, 0.2F); }));
  EXPECT_EQ(at_level(AutoOp::kContrast, 7, 1), is([](ImageView i) { contrast(i, 1.7F); }));
  EXPECT_EQ(at_level(AutoOp::kBrightness, 9, -1), is([](ImageView i) { brightness(i, 0.1F); }));
  EXPECT_EQ(at_level(AutoOp::kSharpness, 1, 1), is([](ImageView i) { sharpness(i, 1.1F); }));
  EXPECT_EQ(at_level(AutoOp::kTranslateX, 9, 1), is([](ImageView i) { translate(i, 15, 0, kGrey); }));
  EXPECT_EQ(at_level(AutoOp::kTranslateY, 3, -1), is([](ImageView i) { translate(i, 0, -5, kGrey); }));
  EXPECT_EQ(at_level(AutoOp::kShearY, 7, -1), is([](ImageView i) { shear_y_bicubic(i, -0.7 / 3, kGrey); }));
  EXPECT_EQ(at_level(AutoOp::kRotate, 2, 1), is([](ImageView i) { rotate(i, 20.0 / 3, kGrey); }));
  EXPECT_EQ(at_level(AutoOp::kRotate, 2, -1), at_level(AutoOp::kRotate, 2, 1))
      << "rotation has one direction";
}

TEST(AutoAugment, TheTableIsThePublishedOne) {
  double probabilities = 0;
  int levels = 0;
  std::array<int, 14> uses{};
  for (const auto& steps : kAutoAugmentCifar)
    for (const AutoStep& step : steps) {
      probabilities += static_cast<double>(step.probability);
      levels += step.level;
      ++uses[static_cast<size_t>(step.op)];
      EXPECT_TRUE(step.level >= 0 && step.level <= 9);
    }
  EXPECT_NEAR(probabilities, 26.5, 1e-5);
  EXPECT_EQ(levels, 267);
  EXPECT_EQ(uses, (std::array<int, 14>{7, 4, 5, 2, 9, 3, 1, 1, 5, 0, 2, 4, 2, 5}));
  const AutoStep& step = kAutoAugmentCifar[3][1];
  EXPECT_TRUE(step.op == AutoOp::kTranslateY && step.probability == 0.7F && step.level == 9);
}

TEST(AutoAugment, ChoosesAmongAllSubPolicies) {
  const Picture picture = noise(3, 16, 16);
  std::set<uint64_t> results;
  int unchanged = 0;
  for (uint64_t id = 0; id < 3000; ++id) {
    const auto result = after(picture, [&](ImageView i) { autoaugment(i, Random(1, "test", 0, id)); });
    unchanged += result == picture.pixels;
    results.insert(hash_of(result));
  }
  // The mean over sub-policies of (1 - p1)(1 - p2) is 0.2232; a step can also leave this picture as it is.
  EXPECT_NEAR(unchanged / 3000.0, 0.24, 0.04);
  EXPECT_GT(results.size(), 60U);
}

TEST(RandAugment, MagnitudesAreThoseOfThePackage) {
  const Picture picture = noise(3, 32, 32);
  constexpr std::array<int, 9> kBits{8, 7, 7, 6, 6, 5, 5, 4, 4}, kCutout{2, 4, 7, 9, 11, 13, 16, 18, 20};
  for (int level = 1; level <= 9; ++level) {
    // One of the two signs, whichever was drawn; both are drawn.
    const auto expect_signs = [&](RandOp op, const auto& signed_op) {
      int positive = 0;
      for (uint64_t id = 0; id < 40; ++id) {
        const auto out = after(picture, [&](ImageView image) {
          Random random(1, "level", 0, id);
          apply(op, level, image, random);
        });
        const bool plus = out == after(picture, [&](ImageView i) { signed_op(i, 1); });
        EXPECT_TRUE(plus || out == after(picture, [&](ImageView i) { signed_op(i, -1); })) << level;
        positive += plus;
      }
      return positive;
    };
    const auto factor = [&](int sign) { return static_cast<float>(1.0 + sign * 0.9 * level / 9); };
    const double part = level / 9.0;
    EXPECT_NEAR(expect_signs(RandOp::kColour, [&](ImageView i, int s) { colour(i, factor(s)); }), 20, 14);
    expect_signs(RandOp::kContrast, [&](ImageView i, int s) { contrast(i, factor(s)); });
    expect_signs(RandOp::kSharpness, [&](ImageView i, int s) { sharpness(i, factor(s)); });
    expect_signs(RandOp::kBrightness, [&](ImageView i, int s) { brightness(i, factor(s)); });
    expect_signs(RandOp::kShearX, [&](ImageView i, int s) { shear_x_bicubic(i, s * 0.3 * part, kGrey); });
    expect_signs(RandOp::kShearY, [&](ImageView i, int s) { shear_y_bicubic(i, s * 0.3 * part, kGrey); });
    const auto pixels = [&](int s) {
      return static_cast<int>(std::floor(s * 150.0 / 331.0 * part * 32 + 0.5));
    };
    expect_signs(RandOp::kTranslateX, [&](ImageView i, int s) { translate(i, pixels(s), 0, kGrey); });
    expect_signs(RandOp::kTranslateY, [&](ImageView i, int s) { translate(i, 0, pixels(s), kGrey); });
    EXPECT_EQ(expect_signs(RandOp::kRotate, [&](ImageView i, int) { rotate(i, 30 * part, kGrey); }), 40);
    expect_signs(RandOp::kSolarize,
                 [&](ImageView i, int) { solarize(i, static_cast<int>(std::ceil(256 - 256 * part))); });
    Picture values = ramp();
    Random random(1, "level");
    apply(RandOp::kPosterize, level, values.view(), random);
    EXPECT_EQ(values_in(values), 1U << kBits[static_cast<size_t>(level - 1)]) << level;
    size_t most = 0;
    for (uint64_t id = 0; id < 300; ++id) {
      Picture white{std::vector<uint8_t>(32 * 32, 255), 1, 32, 32};
      Random place(1, "cutout", 0, id);
      apply(RandOp::kCutout, level, white.view(), place);
      most = std::max(most, static_cast<size_t>(std::count(white.pixels.begin(), white.pixels.end(), 122)));
    }
    const auto side = static_cast<size_t>(kCutout[static_cast<size_t>(level - 1)] / 2 * 2);
    EXPECT_EQ(most, side * side) << level;
  }
}

TEST(RandAugmentUda, LevelsAreThoseOfTheTable) {
  const Picture picture = noise(3, 32, 32);
  const auto at_level = [&](RandOp op, int level, uint64_t id = 0) {
    return after(picture, [&](ImageView image) {
      Random random(1, "level", 0, id);
      apply_uda(op, level, image, random);
    });
  };
  const auto is = [&](const auto& op) { return after(picture, op); };
  constexpr std::array<int, 9> kBits{4, 4, 3, 3, 2, 2, 2, 1, 1};
  for (int level = 1; level <= 9; ++level) {
    Picture values = ramp();
    Random random(1, "level");
    apply_uda(RandOp::kPosterize, level, values.view(), random);
    EXPECT_EQ(values_in(values), 1U << kBits[static_cast<size_t>(level - 1)]) << level;
  }
  EXPECT_EQ(at_level(RandOp::kSolarize, 1), is([](ImageView i) { solarize(i, 231); }));
  EXPECT_EQ(at_level(RandOp::kSolarize, 9), is([](ImageView i) { solarize(i, 26); }));
  EXPECT_EQ(at_level(RandOp::kColour, 5), picture.pixels) << "factor 1";
  EXPECT_EQ(at_level(RandOp::kBrightness, 9), is([](ImageView i) { brightness(i, 1.72F); }));
  EXPECT_EQ(at_level(RandOp::kContrast, 1), is([](ImageView i) { contrast(i, 0.28F); }));
  EXPECT_EQ(at_level(RandOp::kSharpness, 2), is([](ImageView i) { sharpness(i, 0.46F); }));
  int left = 0;
  for (uint64_t id = 0; id < 200; ++id) {
    const auto moved = at_level(RandOp::kTranslateX, 7, id);
    const bool is_left = moved == is([](ImageView i) { translate(i, 7, 0, kBlack); });
    EXPECT_TRUE(is_left || moved == is([](ImageView i) { translate(i, -7, 0, kBlack); }));
    left += is_left;
    const auto turned = at_level(RandOp::kRotate, 9, id);
    EXPECT_TRUE(turned == is([](ImageView i) { rotate(i, 27, kBlack); }) ||
                turned == is([](ImageView i) { rotate(i, -27, kBlack); }));
  }
  EXPECT_NEAR(left, 100, 40);
}

TEST(RandAugmentUda, CutoutGrowsByTwoPixelsALevel) {
  for (int level = 1; level <= 9; ++level) {
    size_t most = 0;
    for (uint64_t id = 0; id < 300; ++id) {
      Picture white{std::vector<uint8_t>(32 * 32, 255), 1, 32, 32};
      Random random(1, "cutout", 0, id);
      apply_uda(RandOp::kCutout, level, white.view(), random);
      most = std::max(most, static_cast<size_t>(std::count(white.pixels.begin(), white.pixels.end(), 122)));
    }
    EXPECT_EQ(most, static_cast<size_t>(4 * level * level));
  }
}

TEST(RandAugmentUda, LeavesAQuarterAloneAndUsesManyAtoms) {
  const Picture picture = noise(3, 16, 16);
  std::set<uint64_t> results;
  int unchanged = 0;
  for (uint64_t id = 0; id < 8000; ++id) {
    const auto result = after(picture, [&](ImageView i) { randaugment_uda(i, Random(1, "test", 0, id)); });
    unchanged += result == picture.pixels;
    results.insert(hash_of(result));
  }
  // An atom leaves the picture alone when it is not chosen or is one of the four with factor 1.
  const double alone = 0.5 + 0.5 * 4 / 135;
  EXPECT_NEAR(unchanged / 8000.0, alone * alone, 0.02);
  EXPECT_GT(results.size(), 1500U);
}

at::Tensor batch(int64_t n, int64_t side) {
  at::Tensor images = at::empty({n, 3, side, side}, at::TensorOptions().dtype(at::kByte));
  auto* data = images.mutable_data_ptr<uint8_t>();
  Random random(4, "batch");
  for (int64_t i = 0; i < images.numel(); ++i) data[i] = static_cast<uint8_t>(random.below(256));
  return images;
}

std::vector<int64_t> ids_of(int64_t n) {
  std::vector<int64_t> ids(static_cast<size_t>(n));
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

TEST(Perturb, NamesAreChecked) {
  EXPECT_EQ(parse_perturbation("vr"), Perturbation::kVr);
  EXPECT_EQ(parse_perturbation("vr_autoaug"), Perturbation::kVrAutoAugment);
  EXPECT_THROW(parse_perturbation("vr_rand"), std::invalid_argument);
  EXPECT_THROW(perturb(batch(1, 8), ids_of(1), Perturbation::kVr, 12, 0, 0), std::invalid_argument);
  EXPECT_THROW(perturb(batch(1, 8), ids_of(1), Perturbation::kVr, -1, 0, 0), std::invalid_argument);
  EXPECT_THROW(perturb(batch(2, 8), ids_of(1), Perturbation::kVr, 0, 0, 0), std::invalid_argument);
}

TEST(Perturb, ViewsOfEverySetDiffer) {
  const at::Tensor images = batch(40, 32);
  for (const char* name : {"vr", "vr_randaug", "vr_cutout", "vr_autoaug"}) {
    std::vector<at::Tensor> views;
    for (int view = 0; view < kPerturbations; ++view)
      views.push_back(perturb(images, ids_of(40), parse_perturbation(name), view, 2, 1));
    for (size_t a = 0; a < views.size(); ++a)
      for (size_t b = 0; b < a; ++b)
        EXPECT_FALSE(at::equal(views[a], views[b])) << name << " " << a << " " << b;
  }
}

TEST(Perturb, VrRandaugIsThePackagesRandAugment) {
  const int64_t n = 60;
  const at::Tensor images = batch(n, 32),
                   views = perturb(images, ids_of(n), Perturbation::kVrRandAugment, 5, 2, 1);
  for (int64_t i = 0; i < n; ++i) {
    at::Tensor own = images.select(0, i).clone();
    randaugment({own.mutable_data_ptr<uint8_t>(), 3, 32, 32},
                Random(2, "perturb", mix64(1, 5), static_cast<uint64_t>(i)));
    EXPECT_TRUE(at::equal(views.select(0, i), own)) << i;
  }
}

TEST(Perturb, VrHoldsTheTwelveOfTheReleasedCode) {
  const int64_t n = 400;
  const at::Tensor images = batch(n, 32);
  const auto view = [&](int v) { return perturb(images, ids_of(n), Perturbation::kVr, v, 2, 1); };
  const auto share_equal = [&](const at::Tensor& a, const at::Tensor& b) {
    int64_t equal = 0;
    for (int64_t i = 0; i < n; ++i) equal += at::equal(a.select(0, i), b.select(0, i));
    return static_cast<double>(equal) / static_cast<double>(n);
  };
  const auto each = [&](const auto& op) {
    at::Tensor out = images.clone();
    for (int64_t i = 0; i < n; ++i) op(ImageView{out.select(0, i).mutable_data_ptr<uint8_t>(), 3, 32, 32});
    return out;
  };
  EXPECT_NEAR(share_equal(view(4), images), 0.5, 0.1);
  EXPECT_NEAR(share_equal(view(4), images.flip({3})), 0.5, 0.1);
  EXPECT_NEAR(share_equal(view(5), images.flip({2})), 0.5, 0.1);
  EXPECT_TRUE(at::equal(view(8), each([](ImageView i) { invert(i); })));
  EXPECT_TRUE(at::equal(view(9), each([](ImageView i) { solarize(i, 128); })));
  EXPECT_TRUE(at::equal(view(10), each([](ImageView i) { solarize(i, 64); })));
  EXPECT_TRUE(at::equal(view(11), each([](ImageView i) { solarize(i, 32); })));
}

TEST(Perturb, VrCutsBoxesOfFourSizesAndTurnsInTwoRanges) {
  const int64_t n = 300;
  const at::Tensor white = at::empty({n, 1, 64, 64}, at::TensorOptions().dtype(at::kByte)).fill_(255);
  for (int v = 0; v < 4; ++v) {
    const at::Tensor cut = perturb(white, ids_of(n), Perturbation::kVr, v, 2, 1);
    int64_t most = 0;
    for (int64_t i = 0; i < n; ++i) {
      const auto* p = cut.const_data_ptr<uint8_t>() + i * 64 * 64;
      most = std::max<int64_t>(most, std::count(p, p + 64 * 64, 122));
    }
    EXPECT_EQ(most, (8 * (v + 1)) * (8 * (v + 1)));
  }
  // A white square turned by a leaves black corners: none at 0, most at 45 degrees, none again at 90.
  for (const int v : {6, 7}) {
    const at::Tensor turned = perturb(white, ids_of(n), Perturbation::kVr, v, 2, 1);
    std::set<int64_t> blacks;
    for (int64_t i = 0; i < n; ++i) {
      const auto* p = turned.const_data_ptr<uint8_t>() + i * 64 * 64;
      blacks.insert(std::count(p, p + 64 * 64, 0));
    }
    EXPECT_GT(blacks.size(), 100U);
    EXPECT_LT(*blacks.begin(), 200);
    EXPECT_NEAR(static_cast<double>(*blacks.rbegin()), 64 * 64 * 0.1716, 25);  // 3 - 2 sqrt 2
  }
}

}  // namespace
}  // namespace perennial
