#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "perennial/base/options.h"
#include "perennial/data/dataset.h"
#include "perennial/data/stream.h"
#include "perennial/learn/method.h"

namespace perennial {

/// Everything a run is configured by. One table of options serves the command line, TOML files and help
/// pages.
struct RunConfig {
  DataOptions data;
  StreamOptions stream;
  ModelOptions model;
  TrainOptions train;
  std::string learner = "rm";
  std::string memory = "500";
  int64_t seed = 1;
  int64_t threads = 0;  ///< 0: as many as the machine has
  Compute compute;
  int64_t eval_every = 0;  ///< evaluate whenever this many stream samples have passed; 0: at task ends only
  bool eval_best_epoch = false;  ///< also evaluate after every epoch and show the best (peeking)
  int64_t eval_batch = 512;
  double joint_accuracy = 0;  ///< of joint training, in percent, for I_last; 0: unknown
  double checkpoint_seconds = 30;
  bool as_released = false;
  std::unique_ptr<MethodOptions> method;

  /// All options; refers to this object. `method` options are there once `learner` has been resolved.
  OptionTable table();
  /// Names of the options that may change when a run goes on: where and how it is computed, not what.
  static const std::vector<std::string>& changeable();
};

/// One option as a user gave it.
struct Setting {
  std::string name, value;
  std::string where = {};  ///< "file:line" when it comes from a file

  /// Gives it to the table. A bad value or an unknown name is std::invalid_argument that says where it
  /// stands.
  void apply(const OptionTable& table) const;
};

/// In the order given; later ones win.
using Settings = std::vector<Setting>;

/// Defaults, then what the method needs, then as_released, then `settings`. Unknown names and bad values are
/// std::invalid_argument; an option of another method is named as such.
std::unique_ptr<RunConfig> make_config(const Settings& settings);

/// From now on our kernels and libtorch's use this many threads; 0: as many as the machine has.
void use_threads(int64_t threads);

/// Reads a TOML file into settings ("[rm] views = 12" is rm.views; "[data] source", "[stream] kind" and
/// "[model] name" are the main keys of their tables). Throws Error with file and line.
Settings read_toml(const std::filesystem::path& file);
Settings parse_toml(std::string_view text, const std::string& name);

/// A configuration as TOML, every option with its value and help.
std::string write_toml(const OptionTable& table);

}  // namespace perennial
