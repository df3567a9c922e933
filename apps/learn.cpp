#include <fmt/format.h>

#include "apps/execute.h"
#include "apps/flags.h"
#include "apps/terminal.h"
#include "perennial/base/outputs.h"
#include "perennial/io/toml.h"
#include "perennial/tasks/classify/classify_recipe.h"

namespace perennial::apps {
namespace {

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
  execute(*Run::create(std::make_unique<ClassifyRecipe>(std::move(config)), a.out, progress), a.common,
          progress);
}

struct GoOnArguments {
  Common common;
  std::string run;
  Settings overrides, data;
};

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

const Command kLearn(1, "learn", Command::Work::kComputes, add_learn);

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
    TerminalProgress progress(a->common.quiet);
    const auto run = Run::open(a->run, a->overrides, progress);
    run->find_at(a->data);
    execute(*run, a->common, progress);
  });
}

const Command kResume(3, "resume", Command::Work::kComputes, add_resume);

void add_update(CLI::App& app) {
  auto* command = app.add_subcommand("update",
                                     "Learn more data, as one more task: new classes, new people.\n\n"
                                     "  perennial update run --data folder:this-week\n"
                                     "  perennial update matte-run --data NEW_DIR\n");
  auto a = std::make_shared<GoOnArguments>();
  command->add_option("RUN", a->run, "the run folder")->required();
  add_data_flags(*command, a->data);
  add_flags(*command, {"threads", "device", "dtype"}, a->overrides);
  add_common(*command, a->common);
  command->callback([a] {
    if (a->data.empty())
      throw std::invalid_argument("update: say which data with --data (for example folder:DIR)");
    TerminalProgress progress(a->common.quiet);
    const auto run = Run::open(a->run, a->overrides, progress);
    try {
      run->begin_update(a->data);
    } catch (const Interrupted&) {
      throw Interrupted{"the update was not begun: give the same command again"};
    }
    execute(*run, a->common, progress);
  });
}

const Command kUpdate(2, "update", Command::Work::kComputes, add_update);

}  // namespace
}  // namespace perennial::apps
