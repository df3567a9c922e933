#include "apps/segment_train.h"

#include "apps/execute.h"
#include "apps/flags.h"
#include "apps/terminal.h"
#include "perennial/base/outputs.h"
#include "perennial/io/toml.h"
#include "perennial/tasks/segment/segment_recipe.h"

namespace perennial::apps {
namespace {

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
  execute(*Run::create(std::make_unique<SegmentRecipe>(config), a.out, progress), a.common, progress);
}

}  // namespace

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
