#include <map>
#include <random>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "perennial/io/image.h"
#include "tests/apps/command.h"

namespace perennial {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// Probabilities by file and class.
using Predictions = std::map<std::string, std::map<std::string, double>>;

std::vector<json> lines(const std::string& text) {
  std::vector<json> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) all.push_back(json::parse(line));
  return all;
}

/// A folder of pictures of three classes, of every shape, some grey, and what is done with runs on it.
class EdgeExport : public testing::Test {
 protected:
  EdgeExport() {
    std::mt19937 random(1);
    for (const char* name : {"ant", "bee", "cat"})
      for (int i = 0; i < 6; ++i) {
        make_folder(folder_ / "in" / name);
        const int64_t channels = i == 2 ? 1 : 3, height = 20 + random() % 50, width = 20 + random() % 50;
        std::vector<uint8_t> pixels(static_cast<size_t>(channels * height * width));
        for (uint8_t& p : pixels) p = static_cast<uint8_t>(random() % (name[0] == 'a' ? 256 : 120));
        write_file(folder_ / "in" / name / (std::to_string(i) + ".png"),
                   encode_png({channels, height, width, pixels}));
      }
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  void learn(const std::string& run, const std::string& options) const {
    printed_by("learn --data folder:" + path("in") +
               " --tasks 2 --stream disjoint --memory 12 --epochs 2 --lr 0.001 " +
               "--threads 1 --quiet --out " + path(run) + " " + options);
  }

  Predictions predicted(const std::string& run) const {
    Predictions all;
    for (const json& l :
         lines(printed_by("predict --format jsonl --quiet --top 100 " + path(run) + " " + path("in"))))
      all[l["path"]] = l["probabilities"];
    return all;
  }

  Predictions classified(const std::string& model) const {
    Predictions all;
    for (const json& l :
         lines(printed_by("edge classify --json --top 100 " + path(model) + " " + path("in"))))
      for (const json& c : l["classes"]) all[l["path"]][c["name"]] = c["probability"];
    return all;
  }

  /// The largest difference between what `predict` says of the run and the runtime of its export.
  double difference(const std::string& run, const std::string& options = "") const {
    printed_by("edge export " + path(run) + " -o " + path(run + ".peb") + " " + options);
    const Predictions expected = predicted(run), found = classified(run + ".peb");
    EXPECT_EQ(expected.size(), 18U);
    EXPECT_EQ(found.size(), 18U);
    double worst = 0;
    size_t sure = 0;
    for (const auto& [file, classes] : expected)
      for (const auto& [name, probability] : classes) {
        worst = std::max(worst, std::abs(found.at(file).at(name) - probability));
        sure += probability > 0.999 ? 1U : 0U;
      }
    EXPECT_LT(sure, 9U) << "nothing is compared when every answer is certain";
    return worst;
  }

  TemporaryFolder folder_;
};

class EdgeExportOf : public EdgeExport, public testing::WithParamInterface<std::string> {};

TEST_P(EdgeExportOf, SaysWhatPredictSays) {
  learn("run", "--learner er --width 0.25 --size 40 --model " + GetParam());
  EXPECT_LT(difference("run"), 1e-4);
}

std::string name_of(const testing::TestParamInfo<std::string>& info) { return info.param; }
INSTANTIATE_TEST_SUITE_P(Every, EdgeExportOf,
                         testing::Values("mlp400", "resnet18", "resnet20", "resnet32", "resnet34",
                                         "efficientnet_lite0"),
                         name_of);

TEST_F(EdgeExport, OfStretchedImagesANormalisedHeadAndAFrozenBackbone) {
  learn("first", "--model efficientnet_lite0 --width 0.25 --size 33 --learner gdumb --set data.stretch=true");
  EXPECT_LT(difference("first"), 1e-4);
  learn("frozen",
        "--model efficientnet_lite0 --width 0.25 --size 48 --freeze features --learner rm --weights " +
            path("first/model.safetensors"));
  EXPECT_LT(difference("frozen"), 1e-4);
  EXPECT_LT(difference("frozen", "--dtype bfloat16"), 0.05);
  EXPECT_LT(difference("frozen", "--dtype int8 --calibrate " + path("in/ant")), 0.2);
}

TEST_F(EdgeExport, OfGreyDigits) {
  printed_by("learn --data digits --tasks 2 --memory 50 --epochs 1 --width 0.2 --threads 1 --quiet --out " +
             path("run"));
  EXPECT_LT(difference("run"), 1e-4);
}

TEST_F(EdgeExport, FeaturesAndNamesServeTheOtherCommands) {
  learn("run", "--model resnet20 --width 0.5 --size 32");
  printed_by("edge export " + path("run/") + " -o " + path("m.peb") + " --onnx " + path("m.onnx"));
  EXPECT_THAT(printed_by("edge classify --top 3 " + path("m.peb") + " " + path("in/ant/0.png")),
              testing::AllOf(HasSubstr("ant"), HasSubstr("bee"), HasSubstr("cat"), HasSubstr("%")));
  write_file(folder_ / "names.txt", "x\ny\nz\n");
  EXPECT_THAT(printed_by("edge classify --labels " + path("names.txt") + " " + path("m.peb") + " " +
                         path("in/ant/0.png")),
              HasSubstr("z"));
  const std::string with = path("s.pec") + " --model " + path("m.peb") + " ";
  printed_by("edge learn " + with + "--class new " + path("in/bee"));
  EXPECT_THAT(printed_by("edge predict " + with + path("in/bee/0.png")), HasSubstr("new"));
  EXPECT_GT(json::parse(printed_by("edge bench --json --runs 1 " + path("m.peb")))["median_ms"], 0);
}

TEST_F(EdgeExport, ComplaintsSayWhatToDo) {
  const auto complaint = [&](const std::string& arguments, int status) {
    const Outcome o = perennial_command("edge export " + arguments);
    EXPECT_EQ(o.status, status) << o.err;
    return o.err;
  };
  const std::string out = " -o " + path("m.peb");
  EXPECT_THAT(complaint(out, 2), HasSubstr("a run of `perennial learn`, or --weights"));
  EXPECT_THAT(complaint(path("in") + out, 1), HasSubstr("no model.safetensors in it"));
  EXPECT_THAT(complaint(path("in") + " --size 32" + out, 2), HasSubstr("says all of it"));
  EXPECT_THAT(complaint(path("in") + " --dtype int8" + out, 2), HasSubstr("--calibrate"));
  learn("run", "--model mlp400 --width 0.1 --size 8");
  EXPECT_THAT(complaint(path("run"), 2), HasSubstr("--onnx"));
  EXPECT_THAT(complaint(path("run") + " -o " + path("run/m.txt"), 2), HasSubstr(".peb"));
}

}  // namespace
}  // namespace perennial
