#include "apps/segment_train.h"

#include <fmt/format.h>

#include "apps/flags.h"
#include "apps/terminal.h"
#include "perennial/base/outputs.h"
#include "perennial/run/matte_run.h"

namespace perennial::apps {
namespace {

using nlohmann::json;

void finish(MatteRun& run, const Common& common, Progress& progress) {
  if (run.finished())
    progress.note(
        "this run has finished: nothing to resume (`perennial update RUN --data DIR` brings it new "
        "photographs)");
  run.execute();
  const json m = run.metrics_json();
  if (common.json) return fmt::print("{}\n", m.dump(-1, ' ', false, json::error_handler_t::replace));
  for (const json& chunk : m["chunks"]) {
    const json& after = chunk["after"].back();
    fmt::print(
        "{}: {} photographs, {} held out: foreground IoU {} before, {} after; mIoU {}, boundary F1 {}; "
        "{:.1f} s\n",
        chunk["data"].get<std::string>(), chunk["images"].get<int64_t>(), chunk["held_out"].get<int64_t>(),
        percent(chunk["before"]["foreground_iou"]), percent(after["foreground_iou"]), percent(after["miou"]),
        percent(after["boundary_f1"]), chunk["seconds"].get<double>());
  }
  if (m["forgetting"].is_number())
    fmt::print("forgotten on earlier data: {:.2f} points of foreground IoU\n",
               100 * m["forgetting"].get<double>());
  fmt::print("report: {}\n", (run.folder() / "report.html").string());
}

struct TrainArguments {
  Common common;
  std::string config, out;
  Settings settings;
};

void train(const TrainArguments& a) {
  Settings settings;
  if (!a.config.empty()) settings = read_toml(a.config);
  settings.insert(settings.end(), a.settings.begin(), a.settings.end());
  TerminalProgress progress(a.common.quiet);
  const MatteConfig config = make_matte_config(settings);
  const std::filesystem::path data = config.data;
  require_no_input("--out", a.out, {data, data / "images", data / "masks"});
  const auto run = MatteRun::create(config, a.out, progress);
  finish(*run, a.common, progress);
}

}  // namespace

void resume_mattes(const std::string& run, const std::string& moved, const Settings& overrides,
                   const Common& common) {
  TerminalProgress progress(common.quiet);
  const auto opened = MatteRun::open(run, overrides, progress);
  if (!moved.empty()) opened->find_at(moved);
  finish(*opened, common, progress);
}

void update_mattes(const std::string& run, const Settings& data, const Settings& overrides,
                   const Common& common) {
  std::string folder;
  Settings settings = overrides;
  for (Setting setting : data) {
    if (setting.name == "data") {
      folder = setting.value;
    } else if (setting.name == "data.skip_bad") {
      setting.name = "skip_bad";
      settings.push_back(setting);
    } else {
      throw std::invalid_argument(
          "update: a run of mattes takes --data DIR and --skip-bad, and no other option of data");
    }
  }
  if (folder.empty()) throw std::invalid_argument("update: say which data with --data DIR");
  TerminalProgress progress(common.quiet);
  const auto opened = MatteRun::open(run, settings, progress);
  try {
    opened->begin_update(folder);
  } catch (const Interrupted&) {
    throw Interrupted{kUpdateNotBegun};
  }
  finish(*opened, common, progress);
}

void add_matte_train(CLI::App& parent) {
  auto* command = parent.add_subcommand(
      "train",
      "Train SINet's portrait network on a folder of images and masks; writes a run folder.\n\n"
      "  perennial segment train --data DIR --out run\n"
      "  perennial segment train --data DIR --weights sinet_portrait.safetensors --epochs 60 --out run\n"
      "  perennial update run --data NEW_DIR      # new people, new rooms: the memory keeps the old ones\n"
      "  perennial segment export --weights run -o mine.peb\n");
  auto a = std::make_shared<TrainArguments>();
  command->add_option("CONFIG", a->config, "a TOML file; flags win over it")->type_name("FILE.toml");
  command->add_option("--out", a->out, "the run folder to write")->required()->type_name("RUN");
  MatteConfig defaults;
  add_table_flags(*command, defaults.table(), a->settings);
  add_common(*command, a->common);
  command->callback([a] { train(*a); });
}

}  // namespace perennial::apps
