#include "perennial/report/report.h"

#include <cmath>
#include <regex>
#include <set>
#include <stack>

#include <gtest/gtest.h>

#include "perennial/base/error.h"
#include "perennial/report/compare_groups.h"
#include "perennial/report/html.h"
#include "perennial/report/metrics.h"
#include "perennial/report/svg.h"
#include "perennial/run/report.h"
#include "tests/base/temporary_folder.h"
#include "tests/run/sample_run.h"

namespace perennial {
namespace {

using namespace report;
namespace fs = std::filesystem;
using nlohmann::json;

/// "" when every tag is closed in order, quotes are balanced and every & begins an entity; else what is
/// wrong.
std::string unbalanced(const std::string& html) {
  std::stack<std::string> open;
  for (size_t i = 0; i < html.size();) {
    if (html[i] == '&') {
      static const std::regex kEntity("^&(amp|lt|gt|quot|#[0-9]+);");
      if (!std::regex_search(html.substr(i, 12), kEntity)) return "bare & at " + html.substr(i, 30);
    }
    if (html[i] != '<') {
      ++i;
      continue;
    }
    size_t end = i + 1;
    for (char quote = 0; end < html.size() && (quote || html[end] != '>'); ++end) {
      if (!quote && html[end] == '<') return "< inside a tag: " + html.substr(i, 60);
      if (quote ? html[end] == quote : html[end] == '"') quote = quote ? 0 : html[end];
    }
    const std::string tag = html.substr(i + 1, end - i - 1);
    const std::string name =
        tag.substr(tag[0] == '/' ? 1 : 0, tag.find_first_of(" \n/>", 1) - (tag[0] == '/' ? 1 : 0));
    if (tag[0] == '/') {
      if (open.empty() || open.top() != tag.substr(1)) return "</" + tag.substr(1) + "> closes nothing";
      open.pop();
    } else if (tag[0] != '!' && tag.back() != '/') {
      open.push(name);
    }
    i = end + 1;
    if (name == "style" && tag[0] != '/') i = html.find("</style>", i);
  }
  return open.empty() ? "" : "<" + open.top() + "> stays open";
}

size_t count(const std::string& text, const std::string& what) {
  size_t n = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

class Report : public ::testing::Test {
 protected:
  SampleRun run(const std::string& name = "run") const { return SampleRun(root_ / name); }

  /// The message of the Error that reading `metrics` gives, or "".
  std::string refusal(const json& metrics) const {
    SampleRun bad = run("bad");
    bad.metrics = metrics;
    try {
      report_html(bad.save());
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }
  TemporaryFolder root_;
};

#define EXPECT_HAS(text, what) EXPECT_NE((text).find(what), std::string::npos) << "missing: " << (what)

TEST_F(Report, HasEverySection) {
  const std::string html = report_html(run().save());
  for (const char* heading : {"Accuracy over the stream", "Forgetting", "Accuracy matrix", "Classes",
                              "Confusion", "The stream", "Memory over time", "What is in the memory",
                              "Where the time went", "Updates", "Best epochs", "Configuration"})
    EXPECT_EQ(count(html, std::string("<h2>") + heading + "</h2>"), 1U) << heading;
  for (const char* text :
       {"Rainbow Memory on digits", "Bang et al., CVPR 2021", ">71.25<", "82.50 <i>%", "25.00 <i>points",
        "8.75 <i>points", "65.43 <i>%", "256 B", "1,234", "100.0 MiB", "75 s", "65.0 % now, −25.0",
        "selection = &quot;rainbow&quot;", "folder:more", "<b>mlp400</b>"})
    EXPECT_HAS(html, text);
}

TEST_F(Report, IsWellFormedAndSelfContained) {
  SampleRun sample = run();
  const std::string html = report_html(sample.save());
  EXPECT_EQ(unbalanced(html), "");
  for (const char* outside : {"http:", "https:", "<script", "<link", "src=", "@import"})
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  EXPECT_HAS(html, "prefers-color-scheme:dark");
  EXPECT_HAS(html, "@media print");
}

TEST_F(Report, BestEpochsAppearOnlyInTheirBox) {
  SampleRun sample = run();
  std::string html = report_html(sample.save());
  const size_t label = html.find("peeking: the test set chose the epoch");
  ASSERT_NE(label, std::string::npos);
  EXPECT_GT(html.find("92.34"), label);
  sample.metrics.erase("best_epoch");
  html = report_html(sample.save());
  EXPECT_EQ(html.find("peeking"), std::string::npos);
}

TEST_F(Report, ThumbnailsAreSortedByUncertaintyAndWrongLabelsMarked) {
  const std::string html = report_html(run().save());
  const size_t certain = html.find("sample 12,"), uncertain = html.find("sample 11,");
  ASSERT_NE(certain, std::string::npos);
  EXPECT_LT(certain, uncertain);
  EXPECT_EQ(count(html, "class=\"wrong\""), 1U);
  EXPECT_HAS(html, "1 of 3 labels are wrong");
  EXPECT_HAS(html, "sample 12, uncertainty 0.250, in truth one");
  // Entry 1 is the second of two columns of a sheet whose tiles of 8 pixels are shown at 42.
  EXPECT_HAS(html.substr(certain, 120), "background-position:-42px -0px");
  EXPECT_HAS(html, "background-size:84.00px 84.00px");
  EXPECT_HAS(html, "url(data:image/png;base64,iVBORw0KGgo");
}

TEST_F(Report, HostileTextIsEscapedEverywhere) {
  const std::string evil = "<script>alert('x')</script>\"&\x1b[31m\xE2\x80\xAE";
  SampleRun sample = run();
  json& m = sample.metrics;
  for (const char* key : {"learner_title", "paper", "data", "stream", "model", "version"}) m[key] = evil;
  m["class_names"] = json::array({evil, evil, evil, evil});
  m["task_classes"] = json::array({json::array({evil})});
  m["per_class"] = json::object({{evil, 0.5}});
  m["phases"] = json::object({{evil, 5}});
  m["updates"][0]["data"] = evil;
  m["updates"][0]["classes_added"] = json::array({evil});
  sample.config("x = \"" + evil + "\xFF\xFE\"\n");
  const std::string html = report_html(sample.save());
  EXPECT_EQ(unbalanced(html), "");
  for (const char* raw : {"<script", "alert('", "\x1b", "\xE2\x80\xAE", "\xFF"})
    EXPECT_EQ(html.find(raw), std::string::npos) << raw;
  const std::string compared = compare_html({sample.folder});
  EXPECT_EQ(unbalanced(compared), "");
  EXPECT_EQ(compared.find("<script"), std::string::npos);
  EXPECT_EQ(compare_table({sample.folder}).find('\x1b'), std::string::npos);
}

TEST_F(Report, OnlyTheEssentialsAreNeeded) {
  SampleRun sample = run();
  sample.metrics = json{{"learner", "er"}, {"data", "digits"}, {"stream", "disjoint"},
                        {"seed", 3},       {"finished", true}, {"a_last", 0.5}};
  fs::remove(sample.folder / "config.toml");
  const std::string html = report_html(sample.save());
  EXPECT_EQ(unbalanced(html), "");
  EXPECT_HAS(html, ">50.00<");
  EXPECT_EQ(html.find("<svg"), std::string::npos);
  EXPECT_EQ(unbalanced(compare_html({sample.folder})), "");
}

TEST_F(Report, EveryKeyMayBeMissingOrNullAndNoTypeCrashes) {
  const json whole = SampleRun::sample();
  const std::set<std::string> needed{"learner", "data", "seed", "finished"};
  for (const auto& [key, value] : whole.items()) {
    for (const bool null : {false, true}) {
      json m = whole;
      if (null)
        m[key] = nullptr;
      else
        m.erase(key);
      const std::string message = refusal(m);
      if (needed.count(key) == 0)
        EXPECT_EQ(message, "") << key;
      else
        EXPECT_HAS(message, "'" + key + "'");
    }
    for (const json& wrong :
         {json(-7.5), json("text"), json(true), json::array({json::object()}), json::object({{"a", {}}})}) {
      if (wrong.type() == value.type() && !wrong.is_number()) continue;
      json m = whole;
      m[key] = wrong;
      EXPECT_HAS(refusal(m), "'" + key);
    }
  }
}

TEST_F(Report, ImpossibleValuesAreErrorsThatNameTheKey) {
  const auto with = [](const std::string& pointer, const json& value) {
    json m = SampleRun::sample();
    m[json::json_pointer(pointer)] = value;
    return m;
  };
  EXPECT_HAS(refusal(with("/a_last", 1.5)), "'a_last' to be a number from 0 to 1");
  EXPECT_HAS(refusal(with("/f_last", -3)), "'f_last'");
  EXPECT_HAS(refusal(with("/accuracy_matrix/1", json::array({1}))), "'accuracy_matrix[1]'");
  EXPECT_HAS(refusal(with("/accuracy_matrix/0/0", "x")), "'accuracy_matrix[0][0]'");
  EXPECT_HAS(refusal(with("/confusion/0", json::array({1, 2}))), "'confusion[1]'");
  EXPECT_HAS(refusal(with("/confusion", json::array({json::array({1, 2})}))), "as many rows as columns");
  EXPECT_HAS(refusal(with("/curve/1/samples", 10)), "'curve[1].samples'");
  EXPECT_EQ(refusal(with("/curve/0/accuracy", nullptr)), "") << "nothing was held out";
  EXPECT_HAS(refusal(with("/curve/0/accuracy", 2)), "'curve[0].accuracy'");
  EXPECT_HAS(refusal(with("/memory/entries/0/label", -1)), "'memory.entries[0].label'");
  EXPECT_HAS(refusal(with("/memory/entries/0/label", 1e15)), "'memory.entries[0].label'");
  EXPECT_HAS(refusal(with("/memory/sheet/tile", 0)), "'memory.sheet.tile'");
  EXPECT_HAS(refusal(with("/seed", 1.5)), "'seed'");
  for (const char* name : {"../memory.png", "/etc/passwd", "..", "a/b.png", ""})
    EXPECT_HAS(refusal(with("/memory/sheet/file", name)), "memory.sheet.file");
}

TEST_F(Report, FilesThatAreNotMetricsAreErrors) {
  const SampleRun sample = run();
  EXPECT_THROW(report_html(sample.folder), Error) << "no metrics.json";
  for (const char* text : {"", "[]", "{", "{\"a_last\": NaN}", "{\"a_last\": 1e999}", "\xFF", "3",
                           "{\"learner\":\"\xC3\x28\"}"}) {
    SampleRun::write(sample.folder / "metrics.json", text);
    EXPECT_THROW(report_html(sample.folder), Error) << text;
    EXPECT_THROW(compare_table({sample.folder}), Error) << text;
  }
  SampleRun::write(sample.folder / "metrics.json", std::string(200000, '['));
  EXPECT_THROW(report_html(sample.folder), Error);
}

TEST_F(Report, ThePictureMustBeTheOneDescribed) {
  const SampleRun sample = run();
  sample.save();
  SampleRun::write(sample.folder / "memory.png", "not a picture");
  EXPECT_THROW(report_html(sample.folder), Error);
  SampleRun::write(sample.folder / "memory.png", SampleRun::png_of(16, 15));
  EXPECT_THROW(report_html(sample.folder), Error);
  fs::remove(sample.folder / "memory.png");
  EXPECT_HAS(report_html(sample.folder), "are not in the run directory");
}

TEST_F(Report, UnfinishedRunsSaySo) {
  SampleRun sample = run();
  sample.metrics["finished"] = false;
  sample.metrics["a_last"] = nullptr;
  sample.metrics["accuracy_matrix"] = json::parse("[[0.9, null]]");
  sample.metrics["task_accuracy"] = json::parse("[0.9, null]");
  const std::string html = report_html(sample.save());
  EXPECT_HAS(html, "<strong>Not finished.</strong> 1 of 2 tasks so far");
  EXPECT_EQ(unbalanced(html), "");
  EXPECT_HAS(compare_table({sample.folder}), "is not finished: 1 of 2 tasks so far");
  EXPECT_HAS(compare_html({sample.folder}), "<strong>Not finished.</strong>");
}

TEST_F(Report, ManyClassesTasksAndSamplesStayReadable) {
  SampleRun sample = run();
  json& m = sample.metrics;
  const int classes = 100, tasks = 20, kept = 500;
  m["class_names"] = m["confusion"] = m["task_composition"] = m["memory_history"] = m["accuracy_matrix"] =
      json::array();
  m["per_class"] = json::object();
  for (const char* key : {"curve", "task_accuracy", "task_classes", "best_epoch"}) m.erase(key);
  for (int c = 0; c < classes; ++c) {
    m["class_names"].push_back("class_" + std::to_string(c));
    m["per_class"]["class_" + std::to_string(c)] = c / 100.0;
    m["confusion"].push_back(std::vector<int>(classes, c % 3));
  }
  for (int t = 0; t < tasks; ++t) {
    m["accuracy_matrix"].push_back(std::vector<double>(tasks, t / 20.0));
    m["task_composition"].push_back(std::vector<int>(classes, 7));
    m["memory_history"].push_back(std::vector<int>(classes, 5));
  }
  m["memory"]["entries"] = json::array();
  for (int i = 0; i < kept; ++i)
    m["memory"]["entries"].push_back({{"id", i}, {"label", i % classes}, {"uncertainty", i / 500.0}});
  SampleRun::write(sample.folder / "memory.png", SampleRun::png_of(16, 2000));
  const std::string html = report_html(sample.save());
  EXPECT_EQ(unbalanced(html), "");
  EXPECT_EQ(count(html, "title=\"sample "), 500U);
  EXPECT_LT(html.size(), 2'000'000U);
  EXPECT_HAS(html, ">class_99</text>");
}

TEST_F(Report, ForgettingIsTheLossSinceTheBestEarlierTask) {
  SampleRun sample = run();
  sample.metrics["accuracy_matrix"] = json::parse("[[0.5,null,null],[0.9,0.4,null],[0.6,0.7,0.8]]");
  const std::vector<double> lost = read_run_metrics(sample.save()).forgetting();
  ASSERT_EQ(lost.size(), 3U);
  EXPECT_NEAR(lost[0], 0.3, 1e-12);
  EXPECT_NEAR(lost[1], -0.3, 1e-12);
  EXPECT_TRUE(std::isnan(lost[2]));
}

TEST_F(Report, TheCurveShowsTheModelThatEachTaskLeft) {
  SampleRun sample = run();
  sample.metrics["task_samples"] = json::parse("[100, 200]");
  using Points = std::vector<std::pair<double, double>>;
  // The accuracies at 100 differ before and after the training at the end of the task; at 200 they are the
  // same.
  EXPECT_EQ(read_run_metrics(sample.save()).over_stream(),
            (Points{{50, 0.31}, {100, 0.45}, {100, 0.9}, {200, 0.7125}}));
  EXPECT_EQ(read_run_metrics(sample.folder).over_stream(0), (Points{{50, 0.6}, {100, 0.9}, {200, 0.65}}));
  for (const char* key : {"curve", "task_samples", "task_composition"}) sample.metrics.erase(key);
  EXPECT_EQ(read_run_metrics(sample.save()).over_stream(), (Points{{1, 0.9}, {2, 0.7125}}))
      << "numbers of tasks";
  EXPECT_HAS(report_html(sample.folder), ">tasks</text>");
}

TEST_F(Report, RunsThatDifferOnlyInSeedAreOneRow) {
  const double last[] = {0.50, 0.60, 0.70};
  std::vector<fs::path> runs;
  for (int seed = 0; seed < 3; ++seed) {
    SampleRun sample = run("rm" + std::to_string(seed));
    sample.metrics["seed"] = seed;
    sample.metrics["a_last"] = last[seed];
    sample.config("seed = " + std::to_string(seed) + "\nout = \"rm" + std::to_string(seed) +
                  "\"\n[rm]\nselection = \"rainbow\"\n");
    runs.push_back(sample.save());
  }
  SampleRun other = run("random");
  other.config("seed = 0\n[rm]\nselection = 'random'  # a comment\n");
  runs.push_back(other.save());
  const auto groups = group_runs(runs);
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].name, "rm (rainbow)");
  EXPECT_EQ(groups[1].name, "rm (random)");
  EXPECT_EQ(groups[0].runs.size(), 3U);
  const std::string table = compare_table(runs);
  EXPECT_HAS(table, "60.00 ± 10.00");
  EXPECT_HAS(table, "71.25");
  EXPECT_EQ(count(table, "\n"), 3U);
  const std::string html = compare_html(runs);
  EXPECT_EQ(unbalanced(html), "");
  EXPECT_HAS(html, "60.00 <small>± 10.00</small>");
  for (const char* heading :
       {"Over the stream", "Kept and forgotten", "What becomes of each task", "Matrices", "Runs"})
    EXPECT_HAS(html, std::string("<h2>") + heading + "</h2>");
}

TEST_F(Report, SeedsWithOtherTaskSizesAreAveragedAtEveryPlace) {
  std::vector<fs::path> runs;
  for (int seed = 0; seed < 2; ++seed) {
    SampleRun sample = run("s" + std::to_string(seed));
    sample.metrics["task_samples"] = {100 + 20 * seed, 200};
    sample.metrics["task_accuracy"] = {0.5 + 0.2 * seed, 0.8};
    sample.metrics.erase("curve");
    runs.push_back(sample.save());
  }
  const Series mean = group_runs(runs).at(0).curve();
  // At 120 the first run stands at 0.5 + 0.3 * 20 / 100 = 0.56 and the second at 0.7.
  ASSERT_EQ(mean.points.size(), 2U);
  EXPECT_DOUBLE_EQ(mean.points[0].first, 120);
  EXPECT_NEAR(mean.points[0].second, 0.63, 1e-12);
  EXPECT_NEAR(mean.spread[0], 0.14 / std::sqrt(2.0), 1e-12);
  EXPECT_DOUBLE_EQ(mean.points[1].second, 0.8);
}

TEST_F(Report, AJumpAtATaskEndStaysAJumpInTheMean) {
  const Series mean = group_runs({run("a").save(), run("b").save()}).at(0).curve();
  using Points = std::vector<std::pair<double, double>>;
  EXPECT_EQ(mean.points, (Points{{50, 0.31}, {100, 0.45}, {100, 0.9}, {200, 0.7125}}));
}

TEST_F(Report, AnUnfinishedSeedDoesNotMoveTheMean) {
  std::vector<fs::path> runs;
  for (int seed = 0; seed < 3; ++seed) {
    SampleRun sample = run("s" + std::to_string(seed));
    sample.metrics["finished"] = seed != 2;
    sample.metrics["a_last"] = seed == 2 ? 0.1 : 0.8;
    runs.push_back(sample.save());
  }
  const std::string table = compare_table(runs);
  EXPECT_HAS(table, "2 of 3");
  EXPECT_HAS(table, "80.00 ± 0.00");
  EXPECT_HAS(table, "is not finished");
}

TEST_F(Report, ComparingNothingIsABadArgument) {
  EXPECT_THROW(compare_table({}), std::invalid_argument);
  EXPECT_THROW(compare_html({}), std::invalid_argument);
}

TEST(Statistic, IsTheSampleStandardDeviation) {
  const Statistic s = statistic({1, 2, 3, NAN});
  EXPECT_EQ(s.count, 3);
  EXPECT_DOUBLE_EQ(s.mean, 2);
  EXPECT_DOUBLE_EQ(s.spread, 1);
  EXPECT_TRUE(std::isnan(statistic({5}).spread));
  EXPECT_TRUE(std::isnan(statistic({}).mean));
}

TEST(Html, CleanTextKeepsTextAndReplacesTheRest) {
  EXPECT_EQ(clean_text("Käse 猫 🐈\tx\n"), "Käse 猫 🐈\tx\n");
  const std::string sign = "\xEF\xBF\xBD";
  EXPECT_EQ(clean_text(std::string("a\0b", 3)), "a" + sign + "b");
  EXPECT_EQ(clean_text("\xC0\xAF"), sign + sign) << "overlong";
  EXPECT_EQ(clean_text("\xED\xA0\x80"), sign + sign + sign) << "surrogate";
  EXPECT_EQ(clean_text("\xE2\x82"), sign + sign) << "cut";
  EXPECT_EQ(escape_html("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
}

TEST(Html, NumbersForPeople) {
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(-123456), "-123,456");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(percent(0.92245, 1), "92.2");
  EXPECT_EQ(duration(3.14), "3.1 s");
  EXPECT_EQ(duration(125), "2 min 5 s");
  EXPECT_EQ(duration(7384), "2 h 3 min");
}

TEST(Svg, TicksAreRoundAndInside) {
  EXPECT_EQ(nice_ticks(0, 10, 5), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(nice_ticks(0, 1, 5).size(), 6U);
  EXPECT_EQ(nice_ticks(0, 50000, 5).size(), 6U);
  EXPECT_EQ(nice_ticks(3, 3, 5), std::vector<double>{3});
  EXPECT_FALSE(std::signbit(nice_ticks(0, 10, 5)[0]));
}

TEST(Svg, GapsBreakALine) {
  LineChart chart;
  chart.series = {{"a", "red", {{0, 0.1}, {1, 0.2}, {2, NAN}, {3, 0.4}, {4, 0.5}}}};
  const std::string svg = draw(chart);
  const size_t curve = svg.find("class=\"curve\"");
  ASSERT_NE(curve, std::string::npos);
  const std::string path = svg.substr(curve, svg.find("/>", curve) - curve);
  EXPECT_EQ(count(path, "M"), 2U);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(Svg, EmptyChartsDoNotCrash) {
  EXPECT_EQ(draw(Heatmap{}), "");
  EXPECT_EQ(unbalanced(draw(LineChart{})), "");
  EXPECT_EQ(unbalanced(draw(StackedBars{})), "");
  EXPECT_EQ(unbalanced(draw(ErrorBars{})), "");
}

TEST(Svg, ShortenCutsAtCharacters) {
  EXPECT_EQ(shorten("naïveté", 4), "naï…");
  EXPECT_EQ(shorten("abc", 3), "abc");
}

}  // namespace
}  // namespace perennial
