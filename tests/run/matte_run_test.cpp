#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/files.h"
#include "perennial/io/image.h"
#include "perennial/run/report.h"
#include "perennial/run/run.h"
#include "perennial/tasks/segment/segment_recipe.h"
#include "tests/base/temporary_folder.h"
#include "tests/run/events.h"
#include "tests/run/interruption.h"

namespace perennial {
namespace {

using nlohmann::json;

/// Photographs of 64 x 64 with a "person": a square of one colour before another.
void draw_people(const std::filesystem::path& folder, int count, uint8_t person, uint8_t room) {
  make_folder(folder / "images");
  make_folder(folder / "masks");
  for (int i = 0; i < count; ++i) {
    Image image{3, 64, 64, std::vector<uint8_t>(3 * 64 * 64, room)},
        mask{1, 64, 64, std::vector<uint8_t>(64 * 64)};
    for (int y = 8 + i; y < 44 + i; ++y)
      for (int x = 12; x < 48; ++x) {
        for (int c = 0; c < 3; ++c)
          image.pixels[(c * 64 + y) * 64 + x] = static_cast<uint8_t>(person + 5 * c);
        mask.pixels[y * 64 + x] = 255;
      }
    write_file_atomic(folder / "images" / (std::to_string(i) + ".png"), encode_png(image));
    write_file_atomic(folder / "masks" / (std::to_string(i) + ".png"), encode_png(mask));
  }
}

Settings small(const std::filesystem::path& data) {
  return {{"data", data.string()}, {"size", "64"},        {"encoder_epochs", "1"}, {"encoder_batch", "4"},
          {"epochs", "2"},         {"batch", "4"},        {"memory", "4"},         {"threads", "1"},
          {"eval.every", "1"},     {"update.epochs", "2"}};
}

json metrics_of(const std::filesystem::path& run) { return json::parse(read_file(run / "metrics.json")); }

TEST(MatteRun, LeavesEveryFileAndMeasuresTheHeldOutPart) {
  const TemporaryFolder folder;
  draw_people(folder / "data", 9, 230, 40);
  Progress silent;
  const auto run = Run::create(segment(small(folder / "data")), folder / "run", silent);
  run->execute();
  for (const char* name :
       {"config.toml", "metrics.json", "model.safetensors", "mattes.png", "report.html", "log.txt"})
    EXPECT_TRUE(std::filesystem::exists(folder / "run" / name)) << name;
  const json m = metrics_of(folder / "run");
  EXPECT_EQ(m["finished"], true);
  const int held_out = m["chunks"][0]["held_out"];
  EXPECT_GT(held_out, 0);
  EXPECT_EQ(m["chunks"][0]["images"], 9 - held_out);
  EXPECT_EQ(m["images"], held_out);
  EXPECT_EQ(m["memory_samples"], 4);
  EXPECT_EQ(m["chunks"][0]["curve"].size(), 3U);
  EXPECT_EQ(m["task"], "segment");
  const Image sheet = read_image(folder / "run" / "mattes.png");
  EXPECT_EQ(sheet.height, held_out * MatteSheet::kTile);
  EXPECT_THAT(report_html(folder / "run"), testing::HasSubstr("data:image/png;base64"));
}

// Stopped at many moments, in updates too: the ending is that of the run never stopped.
TEST(MatteRun, InterruptedEndsBitEqual) {
  const TemporaryFolder folder;
  draw_people(folder / "one", 9, 230, 40);
  draw_people(folder / "two", 6, 60, 200);
  Progress silent;
  const Settings config = small(folder / "one");
  const auto whole = Run::create(segment(config), folder / "whole", silent);
  whole->execute();
  whole->begin_update({{"data", (folder / "two").string()}});
  whole->execute();
  std::vector<std::unique_ptr<StopAfter>> stops;
  stops.push_back(std::make_unique<StopAfter>(14));
  auto run = Run::create(segment(config), folder / "broken", *stops.back());
  int interruptions = 0;
  for (bool updated = false;;) {
    try {
      run->execute();
      if (updated) break;
      run->begin_update({{"data", (folder / "two").string()}});
      updated = true;
      continue;
    } catch (const Interrupted&) {
      ++interruptions;
    }
    stops.push_back(std::make_unique<StopAfter>(12 + interruptions));
    run.reset();
    run = Run::open(folder / "broken", {}, *stops.back());
  }
  EXPECT_GT(interruptions, 2);
  expect_equal_models(folder / "whole", folder / "broken");
  const json a = metrics_of(folder / "whole"), b = metrics_of(folder / "broken");
  EXPECT_EQ(a["iou_matrix"], b["iou_matrix"]);
  EXPECT_EQ(a["chunks"][1]["curve"], b["chunks"][1]["curve"]);
  EXPECT_EQ(a["memory_samples"], b["memory_samples"]);
}

// Photographs may move while a run is stopped, but not change.
TEST(MatteRun, MovedPhotographsAreFoundAgainAndOthersRefused) {
  const TemporaryFolder folder;
  draw_people(folder / "data", 6, 230, 40);
  draw_people(folder / "others", 6, 229, 40);
  Progress silent;
  StopAfter soon(10);
  const Settings config = small(folder / "data");
  Run::create(segment(config), folder / "whole", silent)->execute();
  EXPECT_THROW(Run::create(segment(config), folder / "run", soon)->execute(), Interrupted);
  std::filesystem::rename(folder / "data", folder / "moved");
  const auto go_on = [&](const std::string& data) {
    const auto run = Run::open(folder / "run", {}, silent);
    if (!data.empty()) run->find_at({{"data", (folder / data).string()}});
    run->execute();
  };
  EXPECT_THAT(error_of([&] { go_on(""); }),
              testing::HasSubstr("resume " + (folder / "run").string() + " --data"));
  EXPECT_THAT(error_of([&] { go_on("others"); }), testing::HasSubstr("that it began with, found others"));
  go_on("moved");
  expect_equal_models(folder / "whole", folder / "run");
}

TEST(MatteRun, EarlierPhotographsAreMeasuredAsLongAsTheyAreWhatTheyWere) {
  const TemporaryFolder folder;
  draw_people(folder / "one", 6, 230, 40);
  draw_people(folder / "two", 6, 60, 200);
  draw_people(folder / "three", 6, 90, 150);
  Progress silent;
  const auto update = [&](const std::string& data) {
    const auto run = Run::open(folder / "run", {}, silent);
    run->begin_update({{"data", (folder / data).string()}});
    run->execute();
    return metrics_of(folder / "run")["iou_matrix"];
  };
  Run::create(segment(small(folder / "one")), folder / "run", silent)->execute();
  const json two = update("two");
  EXPECT_TRUE(two[1][0].is_number()) << two;
  for (int i = 0; i < 6; ++i) {
    const auto mask = folder / "one" / "masks" / (std::to_string(i) + ".png");
    Image image = with_channels(read_image(mask), 1);
    image.pixels[0] = 255;
    write_file_atomic(mask, encode_png(image));
  }
  const json three = update("three");
  EXPECT_TRUE(three[2][0].is_null()) << three;
  EXPECT_TRUE(three[2][1].is_number()) << three;
  EXPECT_THAT(read_file(folder / "run" / "log.txt"), testing::HasSubstr("other photographs"));
}

// People and rooms change places: what replays the memory keeps more of the first ones.
TEST(MatteRun, ReplayForgetsLess) {
  const TemporaryFolder folder;
  draw_people(folder / "one", 9, 230, 40);
  draw_people(folder / "two", 9, 40, 230);
  Progress silent;
  std::map<std::string, double> forgotten;
  for (const std::string learner : {"finetune", "er"}) {
    Settings settings = small(folder / "one");
    for (const Setting& s : Settings{{"learner", learner},
                                     {"encoder_epochs", "0"},
                                     {"epochs", "40"},
                                     {"lr", "0.01"},
                                     {"update.epochs", "40"},
                                     {"update.lr", "0.01"},
                                     {"eval.every", "0"},
                                     {"augment.warp", "false"},
                                     {"augment.colour", "false"},
                                     {"memory", "6"}})
      settings.push_back(s);
    const auto run = Run::create(segment(settings), folder / learner, silent);
    run->execute();
    run->begin_update({{"data", (folder / "two").string()}});
    run->execute();
    const json m = metrics_of(folder / learner);
    EXPECT_GT(m["iou_matrix"][0][0].get<double>(), 0.7) << m["iou_matrix"];
    forgotten[learner] = m["forgetting"];
    EXPECT_FLOAT_EQ(Events(folder / learner).last("forgetting"), static_cast<float>(forgotten[learner]));
  }
  EXPECT_GT(forgotten["finetune"], forgotten["er"] + 0.1) << forgotten["er"];
}

TEST(MatteRun, MistakesAreNamed) {
  const TemporaryFolder folder;
  draw_people(folder / "data", 2, 230, 40);
  Progress silent;
  EXPECT_THAT(error_of([&] { make_matte_config({}); }), testing::HasSubstr("--data"));
  EXPECT_THAT(error_of([&] { make_matte_config({{"data", "d"}, {"epoch", "2"}}); }),
              testing::HasSubstr("epochs"));
  EXPECT_THAT(error_of([&] {
                Run::create(segment({{"data", (folder / "data").string()}, {"hold_out", "1"}}),
                            folder / "run", silent);
              }),
              testing::HasSubstr("photographs to train on"));
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
  Settings settings = small(folder / "data");
  settings.push_back({"hold_out", "0"});
  auto run = Run::create(segment(settings), folder / "run", silent);
  EXPECT_THAT(error_of([&] { run->begin_update({{"data", "x"}}); }), testing::HasSubstr("resume"));
  run->execute();
  run.reset();
  EXPECT_EQ(metrics_of(folder / "run")["images"], 0);
  EXPECT_THAT(error_of([&] { Run::open(folder / "run", {{"epochs", "3"}}, silent); }),
              testing::HasSubstr("fixed by the run"));
  write_file_atomic(folder / "run" / "metrics.json", R"({"task": "segment", "chunks": 3})");
  EXPECT_THAT(error_of([&] { report_html(folder / "run"); }), testing::HasSubstr("chunks"));
}

}  // namespace
}  // namespace perennial
