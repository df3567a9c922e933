#include "perennial/tasks/video.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "tests/base/temporary_folder.h"

namespace perennial {
namespace {

class Video : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("ffmpeg -version >/dev/null 2>&1") != 0) GTEST_SKIP() << "FFmpeg is not installed";
    const std::string make =
        "ffmpeg -v error -f lavfi -i testsrc=size=64x48:rate=10:duration=1 -pix_fmt yuv420p " +
        path("in.mp4");
    ASSERT_EQ(std::system(make.c_str()), 0);
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  TemporaryFolder folder_;
};

TEST_F(Video, FramesGoInAndComeOut) {
  VideoReader reader(path("in.mp4"));
  EXPECT_EQ(reader.size().width, 64);
  EXPECT_EQ(reader.size().height, 48);
  VideoWriter writer(path("out.mp4"), reader.size(), path("in.mp4"));
  Frame frame, first;
  int frames = 0;
  while (reader.next(frame)) {
    if (frames++ == 0) first = frame;
    writer.write(frame);
  }
  EXPECT_FALSE(std::filesystem::exists(path("out.mp4")));  // not before it is whole
  writer.finish();
  EXPECT_EQ(frames, 10);
  VideoReader again(path("out.mp4"));
  ASSERT_TRUE(again.next(frame));
  double difference = 0;
  for (size_t i = 0; i < frame.rgb.size(); ++i) difference += std::abs(frame.rgb[i] - first.rgb[i]);
  EXPECT_LT(difference / static_cast<double>(frame.rgb.size()), 12);
}

TEST_F(Video, AnAbandonedVideoLeavesNothingBehind) {
  {
    VideoWriter writer(path("half.mp4"), video_size(path("in.mp4")), path("in.mp4"));
    writer.write({64, 48, std::vector<uint8_t>(64 * 48 * 3, 9)});
  }
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path(".")))
    files += entry.path().filename() != "in.mp4" ? 1 : 0;
  EXPECT_EQ(files, 0);
}

TEST_F(Video, WhatIsNoVideoIsAnError) {
  write_file(path("text.mp4"), "no video");
  EXPECT_THROW(VideoReader(path("text.mp4")), Error);
}

TEST(Child, AMissingProgramIsNamed) {
  try {
    Child({"/nonexistent/ffmpeg"}, Child::Pipe::kRead);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("install FFmpeg"), std::string::npos);
  }
}

}  // namespace
}  // namespace perennial
