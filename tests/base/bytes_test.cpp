#include "perennial/base/bytes.h"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace perennial {
namespace {

TEST(Crc32c, GivesThePublishedKnownAnswers) {
  // RFC 3720 B.4 and the usual check value.
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43U);
  std::string ascending;
  for (char c = 0; c < 32; ++c) ascending += c;
  EXPECT_EQ(crc32c(ascending), 0x46DD794EU);
  EXPECT_EQ(crc32c(""), 0U);
}

RC_GTEST_PROP(Crc32c, ContinuesFromASeed, (const std::string& a, const std::string& b)) {
  RC_ASSERT(crc32c(b, crc32c(a)) == crc32c(a + b));
}

TEST(ParseBytes, KnowsDecimalAndBinaryUnits) {
  EXPECT_EQ(parse_bytes("4096"), 4096);
  EXPECT_EQ(parse_bytes("50MB"), 50'000'000);
  EXPECT_EQ(parse_bytes("50 mb"), 50'000'000);
  EXPECT_EQ(parse_bytes("1.5GiB"), 1'610'612'736);
  EXPECT_EQ(parse_bytes("2k"), 2000);
  EXPECT_EQ(parse_bytes("1TiB"), int64_t{1} << 40);
}

TEST(ParseBytes, RefusesWhatIsNoSize) {
  for (const char* text : {"", "MB", "12 parsecs", "-1", "1e30GB", "nan", "inf", "5MBB", "0x10", " 7", "1 2"})
    EXPECT_THROW(parse_bytes(text), std::invalid_argument) << text;
}

TEST(FormatBytes, UsesTheLargestUnitThatFits) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1'572'864), "1.5 MiB");
  EXPECT_EQ(format_bytes(int64_t{3} << 40), "3.0 TiB");
}

TEST(Base64, GivesTheAnswersOfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

TEST(LittleEndian, RoundTripsAndPutsTheLowByteFirst) {
  std::string out;
  append_le<uint32_t>(out, 0x01020304U);
  append_le<double>(out, -0.5);
  EXPECT_THAT(out.substr(0, 4), testing::ElementsAre(4, 3, 2, 1));
  EXPECT_EQ(load_le<uint32_t>(out.data()), 0x01020304U);
  EXPECT_EQ(load_le<double>(out.data() + 4), -0.5);
}

}  // namespace
}  // namespace perennial
