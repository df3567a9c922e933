#pragma once

#include <cstdint>
#include <string>

namespace perennial {

class OptionTable;

/// What is done in training against shortcuts: options of every learner that trains a network.
struct DebiasOptions {
  std::string name = "none";  ///< none | droptop
  double gamma = 0.05;        ///< share of a map's positions that is dropped in all
  double kappa = 0.005;       ///< share that is dropped where attention is highest, at first
  double alpha = 0.9;         ///< factor by which kappa shifts
  int64_t length = 10;        ///< trials of each value of kappa that are compared
  int64_t period = 3;         ///< steps of a trial
  int64_t probe = 64;         ///< memory samples whose loss judges a trial
  std::string layer;          ///< stage whose map is masked; empty: the first that is not the stem
  std::string fusion = "sum";
  std::string shift = "adaptive";
  bool rescale = false;

  void bind(OptionTable& table);
};

}  // namespace perennial
