#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "perennial/base/files.h"
#include "perennial/io/image.h"
#include "tests/apps/command.h"

namespace perennial {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(SegmentCli, ComplaintsSayWhatToDo) {
  const TemporaryFolder folder;
  const std::string out = (folder / "out.png").string(), model = (folder / "out.peb").string();
  const auto complaint = [](const std::string& arguments, int status) {
    const Outcome o = perennial_command("segment " + arguments);
    EXPECT_EQ(o.status, status) << o.err;
    return o.err;
  };
  EXPECT_THAT(complaint("run /nonexistent.jpg --model /nonexistent.peb -o " + out, 1),
              HasSubstr("/nonexistent.jpg"));
  write_file(folder / "a.png", encode_png({3, 8, 8, std::vector<uint8_t>(192, 9)}));
  const std::string image = (folder / "a.png").string();
  EXPECT_THAT(complaint("run " + image + " --model /nonexistent.peb -o " + out, 1),
              HasSubstr("/nonexistent.peb"));
  EXPECT_THAT(complaint("run " + image + " --model " + image + " -o " + out, 1),
              HasSubstr("another kind of file"));
  EXPECT_THAT(complaint("bench " + image, 1), HasSubstr("another kind of file"));
  EXPECT_THAT(complaint("export --weights /nonexistent -o " + model, 1), HasSubstr("/nonexistent"));
  EXPECT_THAT(complaint("export --weights w --dtype int8 -o " + model, 2),
              HasSubstr("needs --calibrate DIR"));
  EXPECT_THAT(complaint("export --weights w --calibrate . -o " + model, 2), HasSubstr("is for --dtype int8"));
  EXPECT_THAT(complaint("export --weights w --dtype int4 -o " + model, 2), HasSubstr("int4"));
  EXPECT_THAT(complaint("export --weights x", 2), HasSubstr("--onnx"));
  EXPECT_THAT(complaint("exprot", 2), HasSubstr("did you mean 'export'"));
  EXPECT_THAT(complaint("layers", 0), testing::IsEmpty());
}

// folder: d/images, d/masks, m.peb, run.
void good_ones_of_a_folder_with_a_bad_file(const TemporaryFolder& folder) {
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  const auto both = [](const std::string& arguments, const std::string& bad) {
    const Outcome strict = perennial_command(arguments),
                  lenient = perennial_command(arguments + " --skip-bad");
    EXPECT_EQ(strict.status, 1) << arguments << strict.err;
    EXPECT_EQ(lenient.status, 0) << arguments << lenient.err;
    EXPECT_THAT(strict.err, HasSubstr(bad));
    EXPECT_THAT(lenient.err, HasSubstr(bad));
    return strict;
  };
  write_file(folder / "d" / "images" / "bad.png", "\x89PNG\r\n\x1a\nrubbish");
  write_file(folder / "d" / "images" / "phone.heic", "x");
  const Outcome mattes =
      both("segment run " + path("d/images") + " -o " + path("o") + " --model " + path("m.peb"), "bad.png");
  EXPECT_THAT(mattes.err, HasSubstr("1 .heic left out"));
  for (int i = 0; i < 6; ++i)
    EXPECT_TRUE(std::filesystem::exists(folder / "o" / (std::to_string(i) + ".png")));
  const Outcome masks = both("segment masks " + path("d/images") + " -o " + path("u") + " --teacher " +
                                 path("m.peb") + " --agreement 0 --least 0 --most 1 --quiet",
                             "bad.png");
  EXPECT_THAT(masks.out, HasSubstr("6 of 7"));
  EXPECT_THAT(read_file(folder / "u" / "masks.csv"), HasSubstr("bad.png,0,unreadable,"));
  write_file(folder / "d" / "masks" / "bad.png", read_file(folder / "d" / "masks" / "3.png"));
  both("segment eval --weights " + path("m.peb") + " --data " + path("d"), "bad.png");
  both("update " + path("run") + " --data " + path("d"), "bad.png");
  both("segment train --size 32 --encoder-epochs 0 --epochs 1 --batch 4 --threads 1 --data " + path("d") +
           " --out " + path("bad_run"),
       "bad.png");
  for (const char* name : {"images/bad.png", "masks/bad.png", "images/phone.heic"})
    std::filesystem::remove(folder / "d" / name);
}

// A run from nothing: trained, measured, exported, brought new photographs, and used as a teacher.
TEST(SegmentCli, TrainsAndGoesOn) {
  const TemporaryFolder folder;
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  make_folder(folder / "d" / "images");
  make_folder(folder / "d" / "masks");
  for (int i = 0; i < 6; ++i) {
    std::vector<uint8_t> mask(1600);
    for (size_t p = 400; p < 1200; ++p) mask[p] = 255;
    std::vector<uint8_t> pixels(4800, static_cast<uint8_t>(20 * i));
    write_file(folder / "d" / "images" / (std::to_string(i) + ".png"), encode_png({3, 40, 40, pixels}));
    write_file(folder / "d" / "masks" / (std::to_string(i) + ".png"), encode_png({1, 40, 40, mask}));
  }
  const json m = json::parse(
      printed_by("segment train --data " + path("d") + " --out " + path("run") +
                 " --size 32 --encoder-epochs 1 --epochs 1 --batch 4 --threads 1 --quiet --json"));
  EXPECT_EQ(m["chunks"][0]["images"].get<int>() + m["chunks"][0]["held_out"].get<int>(), 6);
  EXPECT_GT(m["chunks"][0]["held_out"], 0);
  const json eval =
      json::parse(printed_by("segment eval --weights " + path("run") + " --data " + path("d") + " --json"));
  EXPECT_EQ(eval["images"], 6);
  printed_by("segment export --weights " + path("run") + " -o " + path("m.peb") + " --onnx " +
             path("m.onnx"));
  EXPECT_GT(read_file(folder / "m.onnx").size(), 300000U);
  const json edge =
      json::parse(printed_by("segment eval --weights " + path("m.peb") + " --data " + path("d") + " --json"));
  EXPECT_NEAR(edge["miou"].get<double>(), eval["miou"].get<double>(), 1e-3);
  EXPECT_THAT(perennial_command("resume " + path("run")).err, HasSubstr("nothing to resume"));
  printed_by("update " + path("run") + " --data " + path("d") + " --quiet");
  printed_by("report " + path("run"));
  EXPECT_THAT(perennial_command("predict " + path("run") + " " + path("d/images")).err,
              HasSubstr("segment eval"));
  EXPECT_THAT(printed_by("compare " + path("run")), HasSubstr("A_last"));
  EXPECT_THAT(printed_by("segment masks " + path("d/images") + " -o " + path("t") + " --teacher " +
                         path("m.peb") + " --agreement 0 --least 0 --most 1 --quiet"),
              HasSubstr("6 of 6"));
  EXPECT_EQ(read_image(folder / "t" / "masks" / "3.png").width, 40);
  write_file(folder / "faces.csv", "3.png,5,5,8,8\n");
  EXPECT_THAT(printed_by("segment masks " + path("d/images") + " -o " + path("p") + " --masks " +
                         path("d/masks") + " --faces " + path("faces.csv") + " --least-face 8 --quiet"),
              HasSubstr("1 of 1 portraits (no face in 5 photographs)"));
  EXPECT_EQ(read_image(folder / "p" / "masks" / "3-1.png").width, 21);
  EXPECT_THAT(read_file(folder / "p" / "masks.csv"),
              testing::AllOf(HasSubstr("3.png,1,kept,1.0000,"), HasSubstr("4.png,0,no face,")));
  write_file(folder / "faces.csv", "nobody.png,5,5,8,8\n");
  EXPECT_THAT(perennial_command("segment masks " + path("d/images") + " -o " + path("p") + " --masks " +
                                path("d/masks") + " --faces " + path("faces.csv"))
                  .err,
              HasSubstr("faces.csv"));
  EXPECT_EQ(perennial_command("segment train --out " + path("x")).status, 2);
  good_ones_of_a_folder_with_a_bad_file(folder);

  const Outcome all = perennial_command("segment train --data " + path("d") + " --out " + path("whole") +
                                        " --size 32 --encoder-epochs 0 --epochs 1 --batch 4 --hold-out 0 "
                                        "--set eval.every=1 --set classes=1 --threads 1 --quiet --json");
  ASSERT_EQ(all.status, 0) << all.err;
  EXPECT_THAT(all.err, HasSubstr("no photograph is held out"));
  const json none = json::parse(all.out);
  EXPECT_TRUE(none["foreground_iou"].is_null());
  EXPECT_TRUE(none["chunks"][0]["before"]["foreground_iou"].is_null());
  EXPECT_THAT(printed_by("resume " + path("whole")), HasSubstr("foreground IoU - before, - after"));
  printed_by("report " + path("whole"));
  EXPECT_THAT(read_file(folder / "whole" / "report.html"), HasSubstr("<b>\xE2\x80\x93</b>"));
  // Of one logit a pixel: exported with a second, trained on as it is.
  printed_by("segment export --weights " + path("whole") + " -o " + path("one.peb"));
  const std::string on = " --data " + path("d") + " --json";
  EXPECT_NEAR(json::parse(printed_by("segment eval --weights " + path("one.peb") + on))["miou"].get<double>(),
              json::parse(printed_by("segment eval --weights " + path("whole") + on))["miou"].get<double>(),
              1e-3);
  EXPECT_EQ(json::parse(printed_by("segment train --weights " + path("whole") + " --out " + path("on") +
                                   " --size 32 --epochs 1 --batch 4 --threads 1 --quiet" + on))["finished"],
            true);
  printed_by("resume " + path("on"));

  for (int i = 0; i < 6; ++i)
    write_file(folder / "d" / "masks" / (std::to_string(i) + ".png"),
               encode_png({1, 40, 40, std::vector<uint8_t>(1600, i % 2)}));
  for (const std::string& command :
       {"segment train --out " + path("no"), "segment eval --weights " + path("run")}) {
    const Outcome o = perennial_command(command + " --data " + path("d") + " --quiet");
    EXPECT_EQ(o.status, 1) << o.err;
    EXPECT_THAT(o.err, testing::AllOf(HasSubstr("1 as the greatest grey"), HasSubstr("--mask-threshold 0")));
  }
  EXPECT_FALSE(std::filesystem::exists(path("no")));
}

TEST(SegmentCli, ExportsBenchesAndRunsThePublishedWeights) {
  const char* data = std::getenv("PERENNIAL_DATA");
  if (data == nullptr || *data == 0) GTEST_SKIP() << "PERENNIAL_DATA is not set: no published weights";
  const TemporaryFolder folder;
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  const std::string weights = std::string(data) + "/weights/sinet_portrait.safetensors";
  ASSERT_EQ(perennial_command("segment export --weights " + weights + " -o " + path("m.peb")).status, 0);
  const json bench = json::parse(printed_by("segment bench " + path("m.peb") + " --runs 3 --layers --json"));
  for (const char* key : {"median_ms", "p90_ms", "load_ms", "arena_bytes", "layers"})
    EXPECT_TRUE(bench.contains(key)) << key;
  const Outcome least = perennial_command("segment bench " + path("m.peb") + " --runs 1 --instructions MMX");
  EXPECT_THAT(least.err, HasSubstr(bench["instructions"].get<std::string>())) << "names those there are";
  // The plainest, whose name is the compiler's matter.
  const std::string plainest = least.err.find("EMU128") != std::string::npos ? "EMU128" : "SCALAR";
  const json plain = json::parse(
      printed_by("segment bench " + path("m.peb") + " --runs 1 --instructions " + plainest + " --json"));
  EXPECT_EQ(plain["instructions"], plainest);
  const auto small = [&](const std::string& flags) {
    const Outcome o =
        perennial_command("segment export --weights " + weights + " -o " + path("s.peb") + flags);
    EXPECT_EQ(o.status, 0) << o.err;
    return std::filesystem::file_size(path("s.peb"));
  };
  make_folder(folder / "in");
  write_file(folder / "in" / "a.png", encode_png({3, 40, 50, std::vector<uint8_t>(6000, 120)}));
  EXPECT_LT(small(" --dtype bfloat16"), 200'000U);
  EXPECT_LT(small(" --dtype int8 --calibrate " + path("in")), 140'000U);
  const Outcome run = perennial_command("segment run " + path("in") + " -o " + path("out") + " --model " +
                                        path("m.peb") + " --background '#00ff00' --json --quiet");
  ASSERT_EQ(run.status, 0) << run.err;
  const json summary = json::parse(run.out);
  EXPECT_EQ(summary["frames"], 1);
  for (const char* key : {"frames_per_second", "decode_ms", "resize_ms", "network_ms", "composite_ms"})
    EXPECT_TRUE(summary.contains(key)) << key;
  const Image image = read_image(folder / "out" / "a.png");
  EXPECT_EQ(image.width, 50);
  EXPECT_EQ(image.height, 40);
  const std::string cut =
      "segment run " + path("in/a.png") + " --model " + path("m.peb") + " --quiet --background ";
  ASSERT_EQ(perennial_command(cut + "transparent -o " + path("cut.png")).status, 0);
  EXPECT_EQ(read_file(path("cut.png"))[25], 6) << "PNG with alpha";
  EXPECT_THAT(perennial_command(cut + "transparent -o " + path("cut.jpg")).err, HasSubstr(".png, .webp"));
  EXPECT_FALSE(std::filesystem::exists(path("cut.jpg")));
  EXPECT_EQ(perennial_command(cut + "glass -o " + path("cut.png")).status, 2);
  const auto written = [&](const std::string& out) {
    const Outcome o = perennial_command("segment run " + path("in/a.png") + " -o " + path(out) + " --model " +
                                        path("m.peb") + " --quiet");
    EXPECT_EQ(o.status, 0) << o.err;
    return read_file(folder / out);
  };
  EXPECT_THAT(written("o.jpg"), testing::StartsWith("\xFF\xD8\xFF"));
  EXPECT_THAT(written("o.PNG"), testing::StartsWith("\x89PNG"));
  write_file(folder / "in" / "a.jpg", read_file(folder / "o.jpg"));
  const Outcome shared = perennial_command("segment run " + path("in") + " -o " + path("fresh") +
                                           " --model " + path("m.peb") + " --quiet");
  EXPECT_EQ(shared.status, 1);
  EXPECT_THAT(shared.err, testing::AllOf(HasSubstr("a.jpg"), HasSubstr("a.png")));
  EXPECT_FALSE(std::filesystem::exists(folder / "fresh"));
}

// Ctrl-C is for the program; FFmpeg and the half file go with it.
TEST(SegmentCli, AnInterruptedVideoLeavesNothing) {
  const char* data = std::getenv("PERENNIAL_DATA");
  if (data == nullptr || *data == 0) GTEST_SKIP() << "PERENNIAL_DATA is not set: no published weights";
  if (std::system("ffmpeg -version >/dev/null 2>&1") != 0) GTEST_SKIP() << "FFmpeg is not installed";
  const TemporaryFolder folder;
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  const std::string weights = std::string(data) + "/weights/sinet_portrait.safetensors";
  ASSERT_EQ(perennial_command("segment export --weights " + weights + " -o " + path("m.peb")).status, 0);
  const std::string make =
      "ffmpeg -v error -f lavfi -i testsrc=size=320x240:rate=30:duration=60 -preset ultrafast ";
  ASSERT_EQ(std::system((make + path("in.mp4")).c_str()), 0);
  make_folder(folder / "out");
  const std::string run = std::string(PERENNIAL_BINARY) + " segment run " + path("in.mp4") + " --model " +
                          path("m.peb") + " -o " + path("out/o.mp4");
  const int status =
      std::system(("bash -c 'set -m; " + run + " & p=$!; until [ -n \"$(ls " + path("out") +
                   ")\" ]; do sleep 0.05; done; sleep 0.3; kill -INT -$p; wait $p' 2>/dev/null")
                      .c_str());
  EXPECT_EQ(WEXITSTATUS(status), 130);
  EXPECT_TRUE(std::filesystem::is_empty(path("out")));
  EXPECT_NE(std::system(("pgrep -f '" + path("[o]ut") + "' >/dev/null").c_str()), 0);
  EXPECT_THAT(perennial_command("segment run " + path("in.mp4") + " -o " + path("o.mpeg") + " --model " +
                                path("m.peb"))
                  .err,
              HasSubstr(".webm"));
}

}  // namespace
}  // namespace perennial
