#include "perennial/tasks/classify/config.h"

#include <stdexcept>

#include <fmt/format.h>

#include "perennial/data/augment.h"

namespace perennial {

OptionTable ClassifyConfig::table() {
  OptionTable t;
  t.add("task", task, "what the run learns").choices({"classify"});
  t.add("learner", learner, "the method: see `perennial methods`");
  data.bind(t);
  stream.bind(t);
  t.add("memory", memory, "what the memory may hold: samples (500) or bytes (50MB)");
  model.bind(t);
  train.bind(t);
  run.bind(t);
  t.add("device", compute.device, "where the network runs").choices({"cpu", "cuda"}).changeable();
  t.add("dtype", compute.dtype, "of convolutions and products").choices({"float32", "bfloat16"}).changeable();
  t.add("as_released", as_released,
        "do what the paper's released code does where it differs from our defaults");
  t.add("eval.every", eval_every,
        "evaluate whenever this many stream samples have passed (gives A_AUC); 0: never")
      .range(0, 1e12);
  t.add("eval.best_epoch", eval_best_epoch,
        "also evaluate after every epoch and show the best one: peeking, since the test set then chooses the "
        "epoch");
  t.add("eval.batch", eval_batch, "images at a time in evaluation").range(1, 65536).changeable();
  t.add("eval.joint", joint_accuracy, "accuracy of joint training in percent, for I_last; 0: unknown")
      .range(0, 100)
      .changeable();
  if (method) method->bind(t);
  return t;
}

namespace {

// The method that has an option of this name, or nothing.
std::string owner_of(const std::string& option) {
  for (const Method& method : methods()) {
    const auto options = method.options();
    OptionTable table;
    options->bind(table);
    if (table.find(option) != nullptr) return method.name;
  }
  return "";
}

}  // namespace

std::unique_ptr<ClassifyConfig> make_config(const Settings& settings) {
  auto config = std::make_unique<ClassifyConfig>();
  const auto early = config->table();
  for (const Setting& setting : settings)
    if (setting.name == "learner" || setting.name == "as_released") setting.apply(early);
  config->method = find_method(config->learner).options();
  config->method->adjust(config->train);
  const auto table = config->table();
  if (config->as_released) {
    table.set_as_released();
    config->method->adjust_as_released(config->train);
  }
  for (const Setting& setting : settings) {
    const bool known = table.find(setting.name) != nullptr;
    if (const std::string owner = known ? "" : owner_of(setting.name); !owner.empty())
      throw std::invalid_argument(fmt::format("{}{} is an option of the learner {}, and this is {}",
                                              setting.where.empty() ? "" : setting.where + ": ", setting.name,
                                              owner, config->learner));
    setting.apply(table);
  }
  MemoryBudget::parse(config->memory);
  config->stream.check();
  if (config->train.augment != "auto") Augmentation::parse(config->train.augment);
  return config;
}

nlohmann::json as_json(DataOptions options) {
  OptionTable table;
  options.bind(table);
  nlohmann::json out = nlohmann::json::object();
  for (const Option& option : table.options()) out[option.name()] = option.get();
  return out;
}

DataOptions data_options(const nlohmann::json& saved) {
  DataOptions options;
  OptionTable table;
  options.bind(table);
  for (const auto& [name, value] : saved.items()) table.set(name, value.get<std::string>());
  return options;
}

}  // namespace perennial
