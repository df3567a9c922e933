#include "perennial/tasks/classify/predict.h"

#include <fmt/format.h>

#include "apps/bad_files.h"
#include "apps/flags.h"
#include "apps/open_run.h"
#include "apps/terminal.h"
#include "perennial/data/csv_rows.h"

namespace perennial::apps {
namespace {

using nlohmann::json;

struct Arguments {
  Common common;
  std::string run, format = "table";
  std::vector<std::string> images;
  Settings overrides;
  int64_t top = 3;
  bool skip_bad = false;
};

void print_table(const std::vector<Prediction>& predictions) {
  size_t width = 5;
  for (const auto& p : predictions) width = std::max(width, p.path.size());
  fmt::print("{:{}}  label\n", "image", width);
  for (const auto& p : predictions) {
    fmt::print("{:{}}", p.path, width);
    for (const auto& [name, probability] : p.classes) fmt::print("  {} {:.1f} %", name, 100 * probability);
    fmt::print("\n");
  }
}

void print_csv(const std::vector<Prediction>& predictions) {
  fmt::print("path,label,probability\n");
  for (const auto& p : predictions)
    fmt::print("{},{},{:.6f}\n", csv_field(p.path), csv_field(p.classes.at(0).first), p.classes.at(0).second);
}

void print_jsonl(const std::vector<Prediction>& predictions) {
  for (const auto& p : predictions) {
    json line{{"path", p.path}, {"label", p.classes.at(0).first}, {"probability", p.classes.at(0).second}};
    for (const auto& [name, probability] : p.classes) line["probabilities"][name] = probability;
    fmt::print("{}\n", line.dump(-1, ' ', false, json::error_handler_t::replace));
  }
}

void predict(const Arguments& a) {
  TerminalProgress progress(a.common.quiet);
  const std::vector<std::filesystem::path> paths(a.images.begin(), a.images.end());
  const OpenRun open = open_to_use(a.run, a.overrides, progress);
  const auto [predictions, bad] =
      predict_files(*open.recipe, open.run->learner(), images_named(paths, a.common.quiet), a.top, progress);
  if (a.common.json || a.format == "jsonl")
    print_jsonl(predictions);
  else if (a.format == "csv")
    print_csv(predictions);
  else
    print_table(predictions);
  BadFiles bad_files(a.skip_bad);
  for (const Error& error : bad) bad_files.add(error);
  bad_files.finish(predictions.size());
}

void add_predict(CLI::App& app) {
  auto* command = app.add_subcommand("predict",
                                     "Label images with a run's model.\n\n"
                                     "  perennial predict run photo.jpg folder-of-photos --format csv\n");
  auto a = std::make_shared<Arguments>();
  command->add_option("RUN", a->run, "the run folder")->required();
  command->add_option("IMAGE", a->images, "images or folders of images")->required();
  command->add_option("--format", a->format, "table | csv | jsonl")
      ->check(CLI::IsMember({"table", "csv", "jsonl"}));
  command->add_option("--top", a->top, "classes shown per image [3]")->check(CLI::Range(1, 1000000));
  add_skip_bad(*command, a->skip_bad);
  add_flags(*command, {"threads", "device", "dtype"}, a->overrides);
  add_common(*command, a->common);
  command->callback([a] { predict(*a); });
}

const Command kPredict(4, "predict", Command::Work::kComputes, add_predict);

}  // namespace
}  // namespace perennial::apps
