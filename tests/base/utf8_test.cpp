#include "perennial/base/utf8.h"

#include <gtest/gtest.h>

namespace perennial {
namespace {

TEST(Utf8, IsToldFromOtherBytes) {
  for (const char* good : {"", "abc", "café", "日本", "🦊", "a\nb"}) EXPECT_TRUE(is_utf8(good)) << good;
  for (const char* bad : {"caf\xE9", "\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\x80"})
    EXPECT_FALSE(is_utf8(bad)) << visible(bad);
}

TEST(Utf8, OtherBytesAreShownByTheirNumbers) {
  EXPECT_EQ(visible("café"), "café");
  EXPECT_EQ(visible("caf\xE9 \xC3"), "caf\\xE9 \\xC3");
  EXPECT_EQ(visible("a\nb\x7F"), "a\\x0Ab\\x7F");
}

}  // namespace
}  // namespace perennial
