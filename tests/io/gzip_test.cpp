#include "perennial/io/gzip.h"

#include <zlib.h>

#include <gtest/gtest.h>

#include "perennial/base/error.h"

namespace perennial {
namespace {

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string sample_text() {
  std::string text;
  for (int i = 0; i < 30000; ++i) text += std::to_string(i * i);
  return text;
}

TEST(Gzip, OneMemberSeveralAndNone) {
  const std::string text = sample_text();
  EXPECT_TRUE(is_gzip(gzip("")));
  EXPECT_FALSE(is_gzip("text"));
  EXPECT_EQ(gunzip(gzip(""), "a.gz", 0), "");
  EXPECT_EQ(gunzip(gzip(text), "a.gz", static_cast<int64_t>(text.size())), text);
  EXPECT_EQ(gunzip(gzip(text) + gzip("more"), "a.gz", 1 << 24), text + "more");
}

TEST(Gzip, CutOrFlippedAnywhereNeverGivesOtherBytes) {
  const std::string text = "Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich", packed = gzip(text);
  for (size_t cut = 0; cut < packed.size(); ++cut)
    EXPECT_THROW(gunzip(packed.substr(0, cut), "a.gz", 1000), Error) << cut;
  EXPECT_THROW(gunzip(packed + "tail", "a.gz", 1000), Error);
  int noticed = 0;
  for (size_t bit = 0; bit < 8 * packed.size(); ++bit) {
    std::string bad = packed;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    try {
      EXPECT_EQ(gunzip(bad, "a.gz", 1000), text) << bit;
    } catch (const Error&) {
      ++noticed;
    }
  }
  // The time, the packer's flags and system, and the padding of the last byte carry nothing.
  EXPECT_GT(noticed, static_cast<int>(8 * packed.size()) - 60);
}

TEST(Gzip, ABombStopsAtTheLimit) {
  const std::string bomb = gzip(std::string(50'000'000, '\0'));
  EXPECT_LT(bomb.size(), 60'000U);
  EXPECT_THROW(gunzip(bomb, "bomb.gz", 1'000'000), Error);
}

}  // namespace
}  // namespace perennial
