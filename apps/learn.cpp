#include <fmt/format.h>

#include "apps/flags.h"
#include "apps/segment_train.h"
#include "apps/terminal.h"
#include "perennial/base/bytes.h"
#include "perennial/base/outputs.h"
#include "perennial/run/matte_config.h"
#include "perennial/run/run.h"

namespace perennial::apps {
namespace {

void print_summary(const Run& run, const Common& common) {
  const auto m = run.metrics_json();
  if (common.json) {
    fmt::print("{}\n", m.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  const bool updated = !m["updates"].empty();
  fmt::print("{} on {} ({}{}): A_last {}, A_avg {}, F_last {}", m["learner_title"].get<std::string>(),
             m["data"].get<std::string>(), m["stream"].get<std::string>(),
             updated ? ", before the updates" : "", percent(m["a_last"]), percent(m["a_avg"]),
             percent(m["f_last"]));
  if (m["memory_samples"].get<int64_t>() > 0)
    fmt::print(", memory {} samples = {}", m["memory_samples"].get<int64_t>(),
               format_bytes(m["memory_bytes"]));
  fmt::print(", {:.1f} s\n", m["wall_seconds"].get<double>());
  for (const auto& update : m["updates"])
    fmt::print("update with {}: {} samples, {} new classes, accuracy {} on its test part, {:.1f} s\n",
               update["data"].get<std::string>(), update["samples"].get<int64_t>(),
               update["classes_added"].size(), percent(update["accuracy"]), update["seconds"].get<double>());
  fmt::print("report: {}\n", (run.folder() / "report.html").string());
}

void finish(Run& run, const Common& common, Progress& progress) {
  if (run.finished())
    progress.note(
        "this run has finished: nothing to resume (`perennial update RUN --data D` brings it new data)");
  run.execute();
  print_summary(run, common);
}

struct LearnArguments {
  Common common;
  std::string config, out;
  Settings settings;
};

void learn(const LearnArguments& a) {
  if (a.config == "true" || a.config == "false")
    throw std::invalid_argument(
        "learn: '" + a.config +
        "' is read as CONFIG; a switch stands alone (--as-released), or write --set as_released=" + a.config);
  Settings settings;
  if (!a.config.empty()) settings = read_toml(a.config);
  settings.insert(settings.end(), a.settings.begin(), a.settings.end());
  TerminalProgress progress(a.common.quiet);
  auto config = make_config(settings);
  require_outside_data("--out", a.out, config->data);
  const auto run = Run::create(std::move(config), a.out, progress);
  finish(*run, a.common, progress);
}

struct GoOnArguments {
  Common common;
  std::string run;
  Settings overrides, data;
};

}  // namespace

void add_learn(CLI::App& app) {
  auto* command = app.add_subcommand("learn",
                                     "Learn from a stream in bounded memory; writes a run folder.\n\n"
                                     "  perennial learn --data digits --stream blurry10 --tasks 5 --memory "
                                     "500 --learner rm --model mlp400 --out run\n"
                                     "  perennial learn experiment.toml --seed 2 --out run2\n"
                                     "  perennial learn --data folder:photos --model efficientnet_lite0 "
                                     "--weights efficientnet_lite0.safetensors \\\n"
                                     "      --freeze features --memory 50MB --out run3\n");
  auto a = std::make_shared<LearnArguments>();
  command->add_option("CONFIG", a->config, "a TOML file; flags win over it")->type_name("FILE.toml");
  command->add_option("--out", a->out, "the run folder to write")->required()->type_name("RUN");
  add_config_flags(*command, a->settings);
  add_common(*command, a->common);
  command->callback([a] { learn(*a); });
}

void add_resume(CLI::App& app) {
  auto* command =
      app.add_subcommand("resume",
                         "Go on with a run that was interrupted or killed.\n\n"
                         "  perennial resume run\n"
                         "  perennial resume run --data folder:moved-to   # the same data elsewhere\n");
  auto a = std::make_shared<GoOnArguments>();
  command->add_option("RUN", a->run, "the run folder")->required();
  add_place_flags(*command, a->data);
  add_override_flags(*command, a->overrides);
  add_common(*command, a->common);
  command->callback([a] {
    if (task_of_run(a->run) == "segment") {
      if (a->data.size() > 1 || (a->data.size() == 1 && a->data[0].name != "data"))
        throw std::invalid_argument("resume: of a run of mattes, only --data DIR can have been moved");
      return resume_mattes(a->run, a->data.empty() ? "" : a->data[0].value, a->overrides, a->common);
    }
    TerminalProgress progress(a->common.quiet);
    const auto run = Run::open(a->run, a->overrides, progress);
    run->find_at(a->data);
    finish(*run, a->common, progress);
  });
}

void add_update(CLI::App& app) {
  auto* command = app.add_subcommand("update",
                                     "Learn the next chunk of data, new classes included.\n\n"
                                     "  perennial update run --data folder:this-week\n");
  auto a = std::make_shared<GoOnArguments>();
  command->add_option("RUN", a->run, "the run folder")->required();
  add_data_flags(*command, a->data);
  add_flags(*command, {"threads", "device", "dtype"}, a->overrides);
  add_common(*command, a->common);
  command->callback([a] {
    if (a->data.empty())
      throw std::invalid_argument("update: say which data with --data (for example folder:DIR)");
    if (task_of_run(a->run) == "segment") {
      return update_mattes(a->run, a->data, a->overrides, a->common);
    }
    const DataOptions data = data_options(a->data);
    require_outside_data("RUN", a->run, data);
    TerminalProgress progress(a->common.quiet);
    const auto run = Run::open(a->run, a->overrides, progress);
    try {
      run->begin_update(data);
    } catch (const Interrupted&) {
      throw Interrupted{kUpdateNotBegun};
    }
    finish(*run, a->common, progress);
  });
}

}  // namespace perennial::apps
