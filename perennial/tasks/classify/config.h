#pragma once

#include <memory>
#include <string>

#include "perennial/base/options.h"
#include "perennial/base/settings.h"
#include "perennial/data/dataset.h"
#include "perennial/data/stream.h"
#include "perennial/learn/method.h"
#include "perennial/tasks/recipe.h"

namespace perennial {

/// Everything a run of `perennial learn` is configured by. One table of options serves the command line, TOML
/// files and help pages.
struct ClassifyConfig {
  std::string task = "classify";
  DataOptions data;
  StreamOptions stream;
  ModelOptions model;
  TrainOptions train;
  std::string learner = "rm";
  std::string memory = "500";
  RunOptions run;
  Compute compute;
  int64_t eval_every = 0;  ///< evaluate whenever this many stream samples have passed; 0: at task ends only
  bool eval_best_epoch = false;  ///< also evaluate after every epoch and show the best (peeking)
  int64_t eval_batch = 512;
  double joint_accuracy = 0;  ///< of joint training, in percent, for I_last; 0: unknown
  bool as_released = false;
  std::unique_ptr<MethodOptions> method;

  /// All options; refers to this object. `method` options are there once `learner` has been resolved.
  OptionTable table();
  uint64_t seed() const { return static_cast<uint64_t>(run.seed); }
};

/// Defaults, then what the method needs, then as_released, then `settings`. Unknown names and bad values are
/// std::invalid_argument; an option of another method is named as such.
std::unique_ptr<ClassifyConfig> make_config(const Settings& settings);

/// Options of data by name, as a state keeps them, and back.
nlohmann::json as_json(DataOptions options);
DataOptions data_options(const nlohmann::json& saved);

}  // namespace perennial
