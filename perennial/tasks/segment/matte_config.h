#pragma once

#include <string>

#include "perennial/base/settings.h"
#include "perennial/tasks/recipe.h"
#include "perennial/tasks/segment/matte_training.h"

namespace perennial {

/// What a run of `perennial segment train` is configured by.
struct MatteConfig {
  std::string task = "segment";  ///< tells such a run from others in config.toml
  std::string data;              ///< folder of images and masks
  std::string weights;           ///< to begin from; empty: from nothing
  int64_t mask_threshold = 127;
  bool skip_bad = false;  ///< note and leave out files that cannot be decoded
  int64_t hold_out = 3;   ///< about one photograph in so many, by its content, is measured on only; 0: none
  std::string learner = "er";
  std::string memory = "100";
  int64_t update_epochs = 30;  ///< on each update
  double update_lr = 0;        ///< 0: a quarter of the first rate, where training ends
  MatteTrainOptions train;
  int64_t eval_every = 10;  ///< epochs
  RunOptions run;

  OptionTable table();
};

/// Defaults, then `settings`. std::invalid_argument for unknown names and bad values.
MatteConfig make_matte_config(const Settings& settings);

}  // namespace perennial
