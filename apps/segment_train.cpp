#include "apps/segment_train.h"

#include <fmt/format.h>

#include "apps/flags.h"
#include "apps/terminal.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/run/matte_run.h"
#include "perennial/run/predict.h"
#include "perennial/tasks/matte_model.h"
#include "perennial/tasks/teacher_masks.h"

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
  const auto run = MatteRun::create(make_matte_config(settings), a.out, progress);
  finish(*run, a.common, progress);
}

struct MaskArguments {
  Common common;
  std::vector<std::filesystem::path> photographs;
  std::string out, teacher;
  TeacherOptions options;
};

void masks(const MaskArguments& a) {
  TerminalProgress progress(a.common.quiet);
  MatteRunner teacher(a.teacher.empty() ? default_matte_model() : std::filesystem::path(a.teacher), {});
  const auto all = teacher_masks(teacher, find_images(a.photographs), a.out, a.options, progress);
  int64_t kept = 0;
  std::string table = "photograph,agreement,area,kept\n";
  for (const TeacherMask& m : all) {
    kept += m.kept ? 1 : 0;
    table += fmt::format("\"{}\",{:.4f},{:.4f},{}\n", m.photograph.string(), m.agreement, m.area, m.kept);
  }
  const auto file = std::filesystem::path(a.out) / "masks.csv";
  write_file_atomic(file, table);
  if (a.common.json)
    fmt::print("{}\n", json{{"photographs", all.size()}, {"kept", kept}}.dump());
  else
    fmt::print("{} of {} photographs kept with a mask in {}; why not the others: {}\n", kept, all.size(),
               a.out, file.string());
}

}  // namespace

void resume_mattes(const std::string& run, const Settings& overrides, const Common& common) {
  TerminalProgress progress(common.quiet);
  finish(*MatteRun::open(run, overrides, progress), common, progress);
}

void update_mattes(const std::string& run, const std::string& data, const Settings& overrides,
                   const Common& common) {
  TerminalProgress progress(common.quiet);
  const auto opened = MatteRun::open(run, overrides, progress);
  opened->begin_update(data);
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

void add_teacher_masks(CLI::App& parent) {
  auto* command = parent.add_subcommand(
      "masks",
      "Masks for photographs that have none, by a model that already makes good ones; what it is not sure of "
      "is left out.\n\n"
      "  perennial segment masks photos/ -o labelled --teacher teacher.peb\n"
      "  perennial segment train --data labelled --out run\n");
  auto a = std::make_shared<MaskArguments>();
  command->add_option("IMAGE", a->photographs, "photographs, or folders of them")->required();
  command->add_option("-o,--out", a->out, "folder to write images/, masks/ and masks.csv into")
      ->required()
      ->type_name("DIR");
  command
      ->add_option("--teacher", a->teacher,
                   "default: $PERENNIAL_MATTE_MODEL, else models/sinet_portrait.peb in the cache folder")
      ->type_name("MODEL.peb");
  command
      ->add_option("--agreement", a->options.agreement,
                   "least IoU of the masks of a photograph and of its mirror image [0.9]")
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--least", a->options.least, "least share of the photograph that a person fills [0.02]")
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--most", a->options.most, "and the largest [0.95]")->check(CLI::Range(0.0, 1.0));
  add_common(*command, a->common);
  command->callback([a] { masks(*a); });
}

}  // namespace perennial::apps
