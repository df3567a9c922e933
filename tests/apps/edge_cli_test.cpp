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

std::string solid_png(uint8_t red, uint8_t green, uint8_t blue) {
  std::vector<uint8_t> planes(3 * 64, red);
  std::fill(planes.begin() + 64, planes.end(), green);
  std::fill(planes.begin() + 128, planes.end(), blue);
  return encode_png({3, 8, 8, planes});
}

TEST(EdgeCli, ComplaintsSayWhatToDo) {
  const TemporaryFolder folder;
  write_file(folder / "a.png", solid_png(1, 2, 3));
  const std::string image = (folder / "a.png").string(), out = (folder / "out.peb").string();
  const auto complaint = [](const std::string& arguments, int status) {
    const Outcome o = perennial_command("edge " + arguments);
    EXPECT_EQ(o.status, status) << o.err;
    return o.err;
  };
  EXPECT_THAT(complaint("export --weights /nonexistent -o " + out, 1), HasSubstr("/nonexistent"));
  EXPECT_THAT(complaint("export --weights w", 2), HasSubstr("--onnx"));
  EXPECT_THAT(complaint("classify " + image + " " + image, 1), HasSubstr("another kind of file"));
  EXPECT_THAT(complaint("learn s.pec --model /nonexistent.peb --class a " + image, 1),
              HasSubstr("/nonexistent.peb"));
  EXPECT_THAT(complaint("learn s.pec " + image, 2), HasSubstr("--model"));
  EXPECT_THAT(complaint("bench " + image, 1), HasSubstr("another kind of file"));
  EXPECT_THAT(complaint("lern", 2), HasSubstr("did you mean 'learn'"));
}

/// Tensors of float32, numbers that are not all alike.
std::string safetensors(const std::vector<std::pair<std::string, std::vector<size_t>>>& tensors) {
  json header;
  std::string values;
  for (const auto& [name, shape] : tensors) {
    const size_t begin = values.size();
    size_t count = 1;
    for (const size_t side : shape) count *= side;
    for (size_t i = 0; i < count; ++i) {
      const float v = static_cast<float>(i * 7 % 11) / 8 - 0.5F;
      values.append(reinterpret_cast<const char*>(&v), sizeof v);
    }
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, values.size()}}};
  }
  const std::string text = header.dump();
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text + values;
}

TEST(EdgeCli, ANetworkOfOnesOwnIsDescribedExportedAndRun) {
  const TemporaryFolder folder;
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  write_file(folder / "w.safetensors",
             safetensors({{"a.weight", {4, 3, 3, 3}}, {"c.weight", {2, 4}}, {"c.bias", {2}}}));
  write_file(folder / "photo.png", solid_png(200, 20, 0));
  json text = json::parse(R"({"image": {"side": 16, "mean": [0, 0, 0], "std": [1, 1, 1], "divisor": 255},
    "layers": [{"conv": "a", "stride": 2, "clamp": [0, 6]}, {"means": true, "as": "features"}, {"dense": "c"}],
    "outputs": {"logits": "last", "features": "features"}})");
  write_file(folder / "d.json", text.dump());
  const std::string command = "edge export --weights " + path("w.safetensors") + " --listing " +
                              path("d.json") + " -o " + path("m.peb");
  const Outcome exported = perennial_command(command);
  EXPECT_EQ(exported.status, 0) << exported.err;
  const Outcome shown = perennial_command("edge classify --json " + path("m.peb") + " " + path("photo.png"));
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_EQ(json::parse(shown.out)["classes"].size(), 2U);

  // A damaged file among good ones.
  make_folder(folder / "in");
  write_file(folder / "in" / "good.png", solid_png(200, 20, 0));
  write_file(folder / "in" / "bad.jpg", "rubbish");
  const auto both = [&](const std::string& arguments, const std::string& after) {
    const Outcome strict = perennial_command("edge " + arguments),
                  lenient = perennial_command("edge " + arguments + " --skip-bad");
    EXPECT_EQ(strict.status, 1) << strict.err;
    EXPECT_EQ(lenient.status, 0) << lenient.err;
    EXPECT_THAT(strict.err, HasSubstr("bad.jpg"));
    EXPECT_THAT(strict.out, HasSubstr(after));
    EXPECT_THAT(lenient.out, HasSubstr("good.png"));
  };
  both("classify " + path("m.peb") + " " + path("in"), "good.png");
  const std::string with = path("s.pec") + " --model " + path("m.peb") + " ";
  const Outcome strict = perennial_command("edge learn " + with + "--class x " + path("in"));
  EXPECT_EQ(strict.status, 1);
  EXPECT_FALSE(std::filesystem::exists(folder / "s.pec")) << "nothing is learned of half a folder";
  EXPECT_EQ(perennial_command("edge learn " + with + "--class x --skip-bad " + path("in")).status, 0);
  both("predict " + with + path("in"), "good.png");

  write_file(folder / "d.json", "\xEF\xBB\xBF" + text.dump());  // as some editors save it
  EXPECT_EQ(perennial_command(command).status, 0);
  json no_divisor = text;
  no_divisor["image"].erase("divisor");
  write_file(folder / "d.json", no_divisor.dump());
  EXPECT_THAT(perennial_command(command).err, HasSubstr(R"("divisor" beside "mean" and "std")"));

  write_file(folder / "empty.json", "\n");
  const Outcome empty = perennial_command("edge export --weights " + path("w.safetensors") + " --listing " +
                                          path("empty.json") + " -o " + path("e.peb"));
  EXPECT_EQ(empty.status, 1);
  EXPECT_THAT(empty.err, HasSubstr("expected a description or a list of operations, found nothing"));

  text["layers"][2]["dense"] = "b";
  write_file(folder / "d.json", text.dump());
  const Outcome wrong = perennial_command(command);
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.err, HasSubstr("network description: layer 2: expected a tensor b.weight, found none: " +
                                   path("d.json")));
}

TEST(EdgeCli, LearnsClassesOnThePublishedMobilenet) {
  const char* data = std::getenv("PERENNIAL_DATA");
  if (data == nullptr || *data == 0) GTEST_SKIP() << "PERENNIAL_DATA is not set: no published weights";
  const TemporaryFolder folder;
  const std::string weights = std::string(data) + "/weights/";
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  const auto run = [](const std::string& arguments) { return printed_by("edge " + arguments); };
  make_folder(folder / "red");
  write_file(folder / "red" / "a.png", solid_png(250, 10, 10));
  write_file(folder / "red" / "b.png", solid_png(230, 0, 0));
  write_file(folder / "blue.png", solid_png(0, 0, 255));
  write_file(folder / "new.png", solid_png(240, 20, 0));
  run("export --weights " + weights + "mobilenet_v1_025_128_imagenet_q8.safetensors -o " + path("m.peb"));
  run("export --weights " + weights + "mobilenet_v1_025_128_imagenet_q8.safetensors --dtype int8 -o " +
      path("i.peb"));
  EXPECT_LT(read_file(folder / "i.peb").size(), 600'000U);

  const std::string with = path("s.pec") + " --model " + path("m.peb");
  run("learn " + with + " --class blue " + path("blue.png"));
  const json learned = json::parse(run("learn " + with + " --class red --json " + path("red")));
  EXPECT_EQ(learned["images"], 2);
  EXPECT_EQ(learned["classes"], 2);
  EXPECT_EQ(learned["bytes"], read_file(folder / "s.pec").size());
  const json said = json::parse(run("predict " + with + " --top 2 --json " + path("new.png")));
  EXPECT_EQ(said["classes"][0]["name"], "red");
  EXPECT_EQ(said["classes"].size(), 2U);
  const Outcome other = perennial_command("edge predict " + path("s.pec") + " --model " + path("i.peb") +
                                          " " + path("new.png"));
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.err, HasSubstr("classes learned with this model, found another's"));
  run("forget " + with + " --class red");
  EXPECT_THAT(run("predict " + with + " " + path("new.png")), HasSubstr("blue"));

  const json shown = json::parse(run("classify " + path("m.peb") + " --labels " + weights +
                                     "imagenet1001_labels.txt --json --top 5 " + path("new.png")));
  EXPECT_EQ(shown["classes"].size(), 5U);
  const Outcome labels = perennial_command("edge classify " + path("m.peb") + " --labels " + weights +
                                           "imagenet1000_synset_words.txt " + path("new.png"));
  EXPECT_THAT(labels.err, HasSubstr("1001 lines"));
  EXPECT_TRUE(json::parse(run("bench " + path("i.peb") + " --runs 2 --json")).contains("median_ms"));
}

}  // namespace
}  // namespace perennial
