#include "perennial/tasks/segment/sinet_preprocess.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace perennial {
namespace {

TEST(SinetPreprocess, SwapsColoursAndDividesTwice) {
  at::Tensor images = at::empty({2, 3, 5, 7}, at::kByte);
  auto* p = images.mutable_data_ptr<uint8_t>();
  for (int64_t i = 0; i < images.numel(); ++i) p[i] = static_cast<uint8_t>(53 * i + 11);
  const at::Tensor x = sinet_preprocess(images);
  ASSERT_EQ(x.sizes(), images.sizes());
  EXPECT_TRUE(x.is_contiguous(at::MemoryFormat::ChannelsLast));
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t c = 0; c < 3; ++c)
      for (int64_t y = 0; y < 5; ++y)
        for (int64_t k = 0; k < 7; ++k) {
          const auto value = static_cast<float>(images[n][2 - c][y][k].item().toLong());
          const auto i = static_cast<size_t>(c);
          EXPECT_EQ(x[n][c][y][k].item().toFloat(),
                    (value - kSinetPortrait.mean[i]) / kSinetPortrait.std[i] / 255.0F);
        }
}

TEST(SinetPreprocess, ValuesAreTiny) {
  const at::Tensor x = sinet_preprocess(at::zeros({1, 3, 2, 2}, at::kByte), kSinetPortraitPort);
  EXPECT_NEAR(x[0][0][0][0].item().toDouble(), -113.05697 / 65.05263 / 255, 1e-8);
  EXPECT_NEAR(x[0][2][1][1].item().toDouble(), -133.786 / 67.238205 / 255, 1e-8);
}

TEST(SinetPreprocess, OtherInputsAreRefused) {
  EXPECT_THROW(sinet_preprocess(at::zeros({1, 3, 2, 2})), std::invalid_argument);
  EXPECT_THROW(sinet_preprocess(at::zeros({1, 1, 2, 2}, at::kByte)), std::invalid_argument);
  EXPECT_THROW(sinet_preprocess(at::zeros({3, 2, 2}, at::kByte)), std::invalid_argument);
}

}  // namespace
}  // namespace perennial
