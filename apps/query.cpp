#include <fmt/format.h>

#include "apps/flags.h"
#include "apps/open_run.h"
#include "apps/terminal.h"
#include "perennial/base/context.h"
#include "perennial/base/files.h"
#include "perennial/base/log.h"
#include "perennial/tasks/classify/pool_query.h"

namespace perennial::apps {
namespace {

using nlohmann::json;

struct Arguments {
  Common common;
  DataOptions pool;
  std::string strategy, labelled, run, out;
  ModelOptions model;
  StrategyOptions options;
  std::vector<std::string> set;
  Settings overrides;
  int64_t budget = 0, seed = 1;
  bool list = false;
};

void print_strategies() {
  for (const StrategyKind& kind : strategies())
    fmt::print("{:<18}{}{}\n", kind.name, kind.text, kind.paper.empty() ? "" : " (" + kind.paper + ")");
}

void set_options(const std::vector<std::string>& set, StrategyOptions& options) {
  OptionTable table;
  options.bind(table);
  for (const std::string& assignment : set) {
    const size_t equals = assignment.find('=');
    if (equals == std::string::npos)
      throw std::invalid_argument(fmt::format("--set: expected KEY=VALUE, found '{}'", assignment));
    table.set(assignment.substr(0, equals), assignment.substr(equals + 1));
  }
}

void report(const PoolPicks& picks, const PoolAnswers& answers, const Arguments& a) {
  if (answers.elsewhere > 0)
    log_warning(fmt::format("{} of the lines of {} are about samples that the pool does not have: left out",
                            answers.elsewhere, a.labelled));
  if (std::ssize(picks.picks) < a.budget)
    log_warning(fmt::format("--budget {}: the pool has only {} samples without an answer: all of them",
                            a.budget, picks.picks.size()));
  write_file_atomic(a.out, picks_csv(picks));
  if (a.common.json)
    fmt::print("{}\n",
               json{{"picks", picks.picks.size()}, {"answered", answers.rows.size()}, {"out", a.out}}.dump());
  else
    fmt::print("{} of {} samples to be labelled, the first ones first: {}\n", picks.picks.size(),
               a.pool.source, a.out);
}

void query(Arguments a) {
  if (a.list) return print_strategies();
  Context::current().log.to_terminal();
  set_options(a.set, a.options);
  const Strategy strategy(a.strategy, a.options);
  TerminalProgress progress(a.common.quiet);
  const auto seed = static_cast<uint64_t>(a.seed);
  if (!a.run.empty()) {
    const OpenRun open = open_to_use(a.run, a.overrides, progress);
    const std::vector<int64_t>& shape = open.recipe->image_shape();
    if (shape.size() == 3) a.pool.size = shape[1];
    a.pool.stretch = open.recipe->config().data.stretch;
    Dataset pool = load_pool(a.pool);
    if (shape.size() == 3 && pool.files) set_channels(pool, shape[0]);
    PoolAnswers answers{{}, {}, open.recipe->class_names(), 0};
    if (!a.labelled.empty()) answers = read_answers(a.labelled, pool, open.recipe->class_names());
    strategy.require(kPlainFacts);
    return report(choose_from_pool(pool, open.run->learner(), answers, strategy, a.budget, seed, progress),
                  answers, a);
  }
  Dataset pool = load_pool(a.pool);
  if (pool.files && a.model.weights.empty())
    throw std::invalid_argument(
        "what looks at the images is missing: --run RUN, or --model NAME --weights FILE (of a frozen "
        "network)");
  PoolAnswers answers;
  if (!a.labelled.empty()) answers = read_answers(a.labelled, pool);
  const std::vector<Fact> of_features{Fact::kFeatures};
  try {
    strategy.require(answers.class_names.empty() ? of_features : kPlainFacts);
  } catch (const std::invalid_argument& e) {
    throw std::invalid_argument(
        fmt::format("{}: nothing is labelled yet (--labelled FILE.csv, or --run RUN; "
                    "kmeans, typiclust, probcover, maxherding and k-centre need no labels)",
                    e.what()));
  }
  if (!pool.files) a.model.name = "identity";
  const auto learner = learn_answers(pool, answers, a.model, seed, progress);
  report(choose_from_pool(pool, *learner, answers, strategy, a.budget, seed, progress), answers, a);
}

void add_query(CLI::App& app) {
  auto* command = app.add_subcommand(
      "query",
      "Choose which samples of a pool to have labelled next.\n\n"
      "  perennial query folder:photos --model efficientnet_lite0 --weights efficientnet_lite0.safetensors "
      "\\\n"
      "      --strategy typiclust --budget 50 --out picks.csv                    # nothing is labelled yet\n"
      "  perennial query folder:photos --run run --strategy \"margin | kmeans\" --budget 100 --out "
      "picks.csv\n"
      "  perennial query features:pool.safetensors --labelled answers.csv --strategy badge --budget 20 --out "
      "picks.csv\n"
      "  perennial query --list                                                   # all strategies\n\n"
      "Answers are a list with the columns path and label; samples that it has are not asked about again, "
      "and the\n"
      "label \"none of these\" says that one belongs to no class. Strategies are chained with |: each "
      "narrows the\n"
      "pool for the next, to ten times the budget or as NAME:20x, NAME:10% or NAME:5000 say.\n");
  auto a = std::make_shared<Arguments>();
  auto* list = command->add_flag("--list", a->list, "print all strategies and end");
  auto* pool =
      command->add_option("POOL", a->pool.source, "folder:DIR | csv:FILE | features:FILE.safetensors");
  auto* strategy = command->add_option("--strategy", a->strategy, "who is asked about: see --list");
  auto* budget = command->add_option("--budget", a->budget, "labels to be given")
                     ->check(CLI::Range(int64_t{1}, int64_t{1} << 40));
  auto* out = command->add_option("--out", a->out, "the list to write, picks.csv");
  command->add_option("--labelled", a->labelled, "a list of what is labelled already");
  command->add_option("--run", a->run, "a run whose model looks at the pool");
  command->add_option("--model", a->model.name, "a network that looks at the images, frozen");
  command->add_option("--weights", a->model.weights, "its safetensors file");
  command->add_option("--size", a->pool.size, "side of the images in pixels [224; of a run: as it has them]")
      ->check(CLI::Range(8, 4096));
  command->add_option("--seed", a->seed, "of everything random [1]");
  command->add_option("--set", a->set, "an option of the strategies, as query.passes=20")
      ->type_name("KEY=VALUE");
  add_flags(*command, {"threads", "device", "dtype"}, a->overrides);
  add_common(*command, a->common);
  command->callback([a, list, pool, strategy, budget, out] {
    for (const CLI::Option* needed : {pool, strategy, budget, out})
      if (list->empty() && needed->empty())
        throw std::invalid_argument(
            fmt::format("{} is missing (perennial query --help)", needed->get_name()));
    query(*a);
  });
}

const Command kQuery(5, "query", Command::Work::kComputes, add_query);

}  // namespace
}  // namespace perennial::apps
