#include "perennial/io/video.h"

#include <algorithm>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "tests/base/temporary_folder.h"

namespace perennial {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Film {
  VideoShape shape;
  std::vector<Frame> frames;
  std::vector<double> seconds;
};

Film film_of(const std::string& path) {
  VideoReader reader(path);
  Film film{reader.shape(), {}, {}};
  for (Frame frame; reader.next(frame);) {
    film.frames.push_back(frame);
    film.seconds.push_back(static_cast<double>(reader.time() * film.shape.file.tick.num) /
                           static_cast<double>(film.shape.file.tick.den));
  }
  return film;
}

/// As `segment run` does it, with pictures as they are.
Film copied(const std::string& from, const std::string& to) {
  VideoReader reader(from);
  VideoWriter writer(to, reader.shape(), from);
  for (Frame frame; reader.next(frame);) writer.write(frame.rgb, reader.time());
  writer.finish();
  return film_of(to);
}

double difference(const Frame& a, const Frame& b) {
  double sum = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(a.rgb[i] - b.rgb[i]);
  return sum / static_cast<double>(a.rgb.size());
}

class Video : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("ffmpeg -version >/dev/null 2>&1") != 0) GTEST_SKIP() << "FFmpeg is not installed";
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  /// By FFmpeg; `what` is what goes between its general options and the file.
  std::string make(const std::string& name, const std::string& what) const {
    const std::string command = "ffmpeg -v error -y " + what + " 'file:" + path(name) + "'";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return path(name);
  }
  /// A word of ffprobe about the first video or (`kind` "a") the first sound.
  std::string said(const std::string& name, const std::string& entry, const std::string& kind = "v") const {
    const std::string command = "ffprobe -v error -select_streams " + kind +
                                ":0 -show_entries stream=" + entry + " -of csv=p=0 'file:" + path(name) +
                                "' > " + path("said");
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    const std::string text = read_file(path("said"));
    return text.substr(0, text.find_first_of(",\n"));
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path(".")))
      names.push_back(entry.path().filename());
    return names;
  }
  TemporaryFolder folder_;
};

constexpr const char* kSmall = "-f lavfi -i testsrc=size=64x48:rate=10:duration=1 -pix_fmt yuv420p";

TEST_F(Video, FramesGoInAndComeOut) {
  const Film in = film_of(make("in.mp4", kSmall)), out = copied(path("in.mp4"), path("out.mp4"));
  EXPECT_EQ(in.shape.width, 64);
  EXPECT_EQ(in.shape.height, 48);
  ASSERT_EQ(out.frames.size(), 10U);
  EXPECT_EQ(out.seconds, in.seconds);
  EXPECT_LT(difference(in.frames[3], out.frames[3]), 6);
}

TEST_F(Video, NothingIsThereBeforeItIsWhole) {
  make("in.mp4", kSmall);
  {
    VideoReader reader(path("in.mp4"));
    VideoWriter writer(path("half.mp4"), reader.shape(), path("in.mp4"));
    writer.write(std::vector<uint8_t>(64 * 48 * 3, 9), 0);
    EXPECT_FALSE(std::filesystem::exists(path("half.mp4")));
  }
  EXPECT_THAT(files(), ElementsAre("in.mp4"));
}

// Telephones store pictures lying, and say so.
TEST_F(Video, TurnedPicturesComeUpright) {
  make("lying.mp4", kSmall);
  make("phone.mp4", "-i " + path("lying.mp4") + " -c copy -metadata:s:v:0 rotate=90");
  const Film lying = film_of(path("lying.mp4")), in = film_of(path("phone.mp4"));
  if (in.shape.width == 64) GTEST_SKIP() << "this FFmpeg writes no rotation by metadata";
  ASSERT_EQ(in.shape.width, 48);
  ASSERT_EQ(in.shape.height, 64);
  Frame left{48, 64, std::vector<uint8_t>(48 * 64 * 3)}, right = left;
  for (size_t y = 0; y < 48; ++y)
    for (size_t x = 0; x < 64; ++x)
      for (size_t c = 0; c < 3; ++c) {
        const uint8_t value = lying.frames[0].rgb[3 * (y * 64 + x) + c];
        right.rgb[3 * (x * 48 + 47 - y) + c] = left.rgb[3 * ((63 - x) * 48 + y) + c] = value;
      }
  EXPECT_LT(std::min(difference(in.frames[0], left), difference(in.frames[0], right)), 8);
  const Film out = copied(path("phone.mp4"), path("out.mp4"));
  EXPECT_EQ(out.shape.width, 48);
  EXPECT_LT(difference(in.frames[5], out.frames[5]), 6);
}

TEST_F(Video, EachPictureIsShownWhenItWas) {
  make("varying.mp4",
       "-f lavfi -i testsrc=size=64x48:rate=30:duration=1 -vf \"select='not(mod(n,3))+lt(n,10)'\" -vsync vfr "
       "-pix_fmt yuv420p");
  make("ntsc.mp4", "-f lavfi -i testsrc=size=64x48:rate=30000/1001:duration=1 -pix_fmt yuv420p");
  make("ntsc.mkv", "-i " + path("ntsc.mp4") + " -c copy");
  for (const std::string name : {"varying.mp4", "ntsc.mp4"}) {
    const Film in = film_of(path(name)), out = copied(path(name), path("out_" + name));
    EXPECT_THAT(out.seconds, testing::Pointwise(testing::DoubleNear(1e-9), in.seconds)) << name;
    EXPECT_EQ(said(name, "nb_frames"), said("out_" + name, "nb_frames"));
  }
  EXPECT_EQ(said("out_ntsc.mp4", "r_frame_rate"), "30000/1001");
  EXPECT_EQ(said("out_ntsc.mp4", "duration"), "1.001000");
  // Matroska's times are rounded to milliseconds; what was meant is written.
  copied(path("ntsc.mkv"), path("again.mp4"));
  EXPECT_EQ(said("again.mp4", "r_frame_rate"), "30000/1001");
  EXPECT_EQ(said("again.mp4", "avg_frame_rate"), "30000/1001");
}

TEST_F(Video, SoundStaysWhereItWasAgainstThePictures) {
  make("late.mkv",
       "-itsoffset 0.5 -f lavfi -i testsrc=size=64x48:rate=25:duration=0.4 -f lavfi -i sine=duration=1 -c:a "
       "aac "
       "-pix_fmt yuv420p");
  copied(path("late.mkv"), path("late.mp4"));
  EXPECT_NEAR(std::stod(said("late.mp4", "start_time")), std::stod(said("late.mkv", "start_time")), 0.002);
  EXPECT_EQ(said("late.mp4", "codec_name", "a"), "aac");
  copied(path("late.mkv"), path("late.webm"));
  EXPECT_EQ(said("late.webm", "codec_name", "a"), "opus");  // what WebM takes
  EXPECT_EQ(said("late.webm", "codec_name"), "vp9");
}

TEST_F(Video, PixelsThatAreNotSquareStaySo) {
  make("wide.mp4", std::string(kSmall) + " -vf setsar=64/45");
  copied(path("wide.mp4"), path("out.mp4"));
  EXPECT_EQ(said("out.mp4", "sample_aspect_ratio"), "64:45");
}

TEST_F(Video, OddSides) {
  make("odd.mkv", "-f lavfi -i testsrc=size=65x49:rate=10:duration=0.3 -c:v ffv1 -pix_fmt bgr0");
  const Film in = film_of(path("odd.mkv")), mp4 = copied(path("odd.mkv"), path("odd.mp4")),
             webm = copied(path("odd.mkv"), path("odd.webm"));
  EXPECT_EQ(in.shape.width, 65);
  EXPECT_EQ(mp4.shape.width, 66);  // H.264's colours are halved
  EXPECT_EQ(mp4.shape.height, 50);
  EXPECT_EQ(webm.shape.width, 65);
  EXPECT_EQ(webm.shape.height, 49);
  const auto& last = mp4.frames[0].rgb;
  for (size_t c = 0; c < 3; ++c)  // no black line at the border
    EXPECT_NEAR(last[3 * (20 * 66 + 65) + c], last[3 * (20 * 66 + 64) + c], 30);
}

TEST_F(Video, ColoursDoNotShift) {
  const std::string bars = "-f lavfi -i smptehdbars=size=160x90:rate=5:duration=0.4 ";
  make("709.mp4",
       bars +
           "-vf scale=out_color_matrix=bt709,format=yuv420p -colorspace bt709 -color_primaries bt709 "
           "-color_trc bt709");
  make("full.mp4", bars + "-pix_fmt yuvj420p");
  make("plain.mp4", bars + "-pix_fmt yuv420p");
  make("high.mp4", "-f lavfi -i smptehdbars=size=1280x720:rate=5:duration=0.4 -pix_fmt yuv420p");
  for (const std::string name : {"709.mp4", "full.mp4", "plain.mp4", "high.mp4"}) {
    const Film in = film_of(path(name)), out = copied(path(name), path("out_" + name));
    double shift[3]{};
    for (size_t i = 0; i < in.frames[0].rgb.size(); ++i)
      shift[i % 3] += out.frames[0].rgb[i] - in.frames[0].rgb[i];
    for (double s : shift)
      EXPECT_LT(std::abs(s) / static_cast<double>(in.frames[0].rgb.size() / 3), 2) << name;
  }
  EXPECT_EQ(said("out_709.mp4", "color_space"), "bt709");
  EXPECT_EQ(said("out_high.mp4", "color_space"), said("high.mp4", "color_space"));
}

TEST_F(Video, NamesArePathsAndNothingElse) {
  make("in.mp4", kSmall);
  for (const std::string name : {"13:19:57.mp4", "-i.mp4", "%d.mp4", "a\nb 'c'.mp4"}) {
    std::filesystem::copy(path("in.mp4"), path(name));
    EXPECT_EQ(copied(path(name), path("out " + name)).frames.size(), 10U) << name;
  }
}

TEST_F(Video, CoversAreNoVideos) {
  make("cover.png", "-f lavfi -i color=red:size=32x32 -frames:v 1");
  make("in.mp4", std::string(kSmall));
  make("covered.mp4", "-i " + path("cover.png") + " -i " + path("in.mp4") +
                          " -map 0 -map 1 -c:v:0 png -c:v:1 copy -disposition:v:0 attached_pic");
  EXPECT_EQ(film_of(path("covered.mp4")).shape.width, 64);
  make("song.m4a", "-f lavfi -i sine=duration=0.2 -i " + path("cover.png") +
                       " -map 0 -map 1 -c:v png -disposition:v attached_pic");
  EXPECT_THROW(VideoReader(path("song.m4a")), Error);
}

TEST_F(Video, WhatIsNoVideoIsAnError) {
  write_file(path("text.mp4"), "no video");
  write_file(path("empty.mp4"), "");
  make("sound.mp4", "-f lavfi -i sine=duration=0.2");
  for (const char* name : {"text.mp4", "empty.mp4", "sound.mp4", "absent.mp4", "."})
    EXPECT_THROW(VideoReader(path(name)), Error) << name;
}

TEST_F(Video, TransparentPicturesKeepTheirColourAndTheirMatte) {
  make("in.mp4", kSmall);
  {
    VideoReader reader(path("in.mp4"));
    VideoWriter writer(path("cut.webm"), reader.shape(), path("in.mp4"), true);
    for (Frame frame; reader.next(frame);) {
      std::vector<uint8_t> alpha(frame.rgb.size() / 3);
      for (size_t i = 0; i < alpha.size(); ++i) alpha[i] = i % 64 < 32 ? 255 : 100;
      writer.write(cut_out(frame, alpha), reader.time());
    }
    writer.finish();
  }
  make("first.rgba", "-c:v libvpx-vp9 -i " + path("cut.webm") + " -frames:v 1 -f rawvideo -pix_fmt rgba");
  const std::string pixels = read_file(path("first.rgba"));
  const Film in = film_of(path("in.mp4"));
  double colour = 0;
  for (size_t i = 0; i < 64 * 48; ++i) {
    const auto alpha = static_cast<uint8_t>(pixels[4 * i + 3]);
    if (i % 64 < 30 || i % 64 > 34) {
      EXPECT_NEAR(alpha, i % 64 < 32 ? 255 : 100, 12);
    }
    for (size_t c = 0; c < 3; ++c)
      colour += std::abs(static_cast<uint8_t>(pixels[4 * i + c]) - in.frames[0].rgb[3 * i + c]);
  }
  EXPECT_LT(colour / (64 * 48 * 3), 10);
}

TEST(VideoOutput, WhatCannotBeWrittenIsRefused) {
  for (const char* name : {"a.mp4", "a.MOV", "a.mkv", "a.webm", "a.avi"})
    EXPECT_NO_THROW(check_video_output(name, false));
  for (const char* name : {"a", "a.gif", "a.png", "mp4", "a.mp4.txt"})
    EXPECT_THROW(check_video_output(name, false), std::invalid_argument) << name;
  EXPECT_NO_THROW(check_video_output("a.webm", true));
  try {
    check_video_output("a.mp4", true);
    FAIL();
  } catch (const std::invalid_argument& e) {
    EXPECT_THAT(e.what(), HasSubstr(".webm"));
  }
}

/// An ffmpeg of the test's own before the real one in PATH.
class PoorFfmpeg : public Video {
 protected:
  void SetUp() override {
    Video::SetUp();
    before_ = std::getenv("PATH");
    make_folder(path("bin"));
  }
  void TearDown() override { ::setenv("PATH", before_.c_str(), 1); }
  /// Its last argument is "-" when it decodes.
  void play(const std::string& script) {
    const std::string real = before_;
    write_file(path("bin/ffmpeg"), "#!/bin/sh\nfor last; do :; done\nreal() { PATH='" + real +
                                       "' ffmpeg \"$@\"; }\n" + script + "\n");
    std::filesystem::permissions(path("bin/ffmpeg"), std::filesystem::perms::owner_all);
    ::setenv("PATH", (path("bin") + ":" + before_).c_str(), 1);
  }
  std::string failure(const std::string& out) {
    try {
      copied(path("in.mp4"), path(out));
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }
  std::string before_;
};

TEST_F(PoorFfmpeg, ADecoderThatDiesIsNoEnd) {
  make("in.mp4", kSmall);
  play(
      "[ \"$last\" = - ] || { real \"$@\"; exit; }\nreal \"$@\" | head -c 30000; echo out of luck >&2; exit "
      "137");
  EXPECT_THAT(failure("out.mp4"), HasSubstr("status 137: out of luck"));
  play("[ \"$last\" = - ] || { real \"$@\"; exit; }\nreal \"$@\"; exit 1");  // after the last picture
  EXPECT_THAT(failure("out.mp4"), HasSubstr("status 1"));
  EXPECT_FALSE(std::filesystem::exists(path("out.mp4")));
}

TEST_F(PoorFfmpeg, AnEncoderThatDiesSaysWhy) {
  make("in.mp4", kSmall);
  play(
      "[ \"$last\" = - ] && { real \"$@\"; exit; }\nhead -c 1000 >/dev/null; echo No space left on device "
      ">&2; exit 1");
  EXPECT_THAT(failure("out.mp4"), HasSubstr("No space left on device"));
  play("[ \"$last\" = - ] && { real \"$@\"; exit; }\ncat >/dev/null; echo too late >&2; exit 1");
  EXPECT_THAT(failure("out.mp4"), HasSubstr("too late"));
  // As FFmpeg 5 ends on a full disk: well, with a file that is cut.
  play("[ \"$last\" = - ] && { real \"$@\"; exit; }\ncat >/dev/null");
  EXPECT_THAT(failure("out.mp4"), HasSubstr("is the disk full?"));
  for (const std::string out : {"out.mp4", "out.mkv"}) {
    play(
        "[ \"$last\" = - ] && { real \"$@\"; exit; }\nreal \"$@\"; f=${last#file:}; s=$(stat -c %s \"$f\"); "
        "truncate -s $((s / 2)) \"$f\"");
    EXPECT_THAT(failure(out), HasSubstr("is the disk full?"));
  }
  EXPECT_THAT(files(), testing::UnorderedElementsAre("in.mp4", "bin"));
}

}  // namespace
}  // namespace perennial
