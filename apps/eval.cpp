#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "apps/flags.h"
#include "apps/terminal.h"
#include "perennial/run/evaluate_data.h"

namespace perennial::apps {
namespace {

struct Arguments {
  Common common;
  std::string run;
  Settings settings;
  ModelOptions model{.name = ""};
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
  const DataOptions data = data_options(a.settings);
  if (a.run.empty() == a.model.name.empty())
    throw std::invalid_argument("eval: name a RUN, or --model with --weights, and not both");
  if (!a.run.empty()) {
    const auto run = Run::open(a.run, {}, progress);
    return print(evaluate_run(*run, data, progress), a.common.json);
  }
  if (a.model.weights.empty()) throw std::invalid_argument("eval: --model needs --weights FILE.safetensors");
  print(evaluate_weights(a.model, data, progress), a.common.json);
}

}  // namespace

void add_eval(CLI::App& app) {
  auto* command = app.add_subcommand(
      "eval",
      "Measure a run's model, or published weights, on the test part of a data set.\n\n"
      "  perennial eval run --data digits\n"
      "  perennial eval --model resnet20 --weights resnet20.safetensors --data cifar10:DIR --json\n");
  auto a = std::make_shared<Arguments>();
  command->add_option("RUN", a->run, "the run folder");
  command->add_option("--model", a->model.name, "network of the weights");
  command->add_option("--weights", a->model.weights, "safetensors file")->type_name("FILE");
  command->add_option("--width", a->model.width, "factor on the network's channels");
  auto* data = command->add_option_function<std::string>(
      "--data", [a](const std::string& v) { a->settings.emplace_back("data", v); },
      "the data set, as for learn");
  data->required();
  command->add_option_function<std::string>(
      "--classes", [a](const std::string& v) { a->settings.emplace_back("data.classes", v); },
      "only these classes, comma-separated");
  command->add_option_function<std::string>(
      "--size", [a](const std::string& v) { a->settings.emplace_back("data.size", v); },
      "side of the images in pixels");
  add_common(*command, a->common);
  command->callback([a] { eval(*a); });
}

}  // namespace perennial::apps
