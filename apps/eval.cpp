#include <fmt/format.h>

#include "apps/flags.h"
#include "apps/open_run.h"
#include "apps/terminal.h"
#include "perennial/tasks/classify/evaluate_data.h"

namespace perennial::apps {
namespace {

struct Arguments {
  Common common;
  std::string run;
  Settings model, data, overrides;
};

void print(const DataEvaluation& e, bool as_json) {
  if (as_json) {
    fmt::print("{}\n", e.to_json().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  fmt::print("accuracy {:.2f} % on {} images\n", 100 * e.accuracy, e.images);
  for (const auto& [name, accuracy] : e.per_class) fmt::print("  {:20} {:.2f} %\n", name, 100 * accuracy);
  if (!e.unknown_classes.empty())
    fmt::print("classes that the model does not know (counted as wrong): {}\n",
               fmt::join(e.unknown_classes, ", "));
}

void eval(const Arguments& a) {
  TerminalProgress progress(a.common.quiet);
  if (a.run.empty() == a.model.empty())
    throw std::invalid_argument("eval: name a RUN, or --model with --weights, and not both");
  if (!a.run.empty()) {
    const OpenRun open = open_to_use(a.run, a.overrides, progress);
    return print(evaluate_learner(*open.recipe, open.run->learner(), data_options(a.data), progress),
                 a.common.json);
  }
  Settings all = a.model;
  for (const Settings* more : {&a.data, &a.overrides}) all.insert(all.end(), more->begin(), more->end());
  const auto config = make_config(all);
  if (config->model.weights.empty())
    throw std::invalid_argument("eval: --model needs --weights FILE.safetensors");
  print(evaluate_weights(*config, progress), a.common.json);
}

void add_eval(CLI::App& app) {
  auto* command = app.add_subcommand(
      "eval",
      "Measure a run's model, or published weights, on the test part of a data set.\n\n"
      "  perennial eval run --data digits\n"
      "  perennial eval --model resnet20 --weights resnet20.safetensors --data cifar10:DIR --json\n");
  auto a = std::make_shared<Arguments>();
  command->add_option("RUN", a->run, "the run folder");
  add_flags(*command, {"model", "model.weights", "model.width"}, a->model);
  add_data_flags(*command, a->data);
  command->get_option("--data")->required();
  add_flags(*command, {"threads", "device", "dtype"}, a->overrides);
  add_common(*command, a->common);
  command->callback([a] { eval(*a); });
}

const Command kEval(6, "eval", Command::Work::kComputes, add_eval);

}  // namespace
}  // namespace perennial::apps
