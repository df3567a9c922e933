#pragma once

#include <string>

#include "perennial/data/augment.h"
#include "perennial/learn/network_evidence.h"

namespace perennial {

class OptionTable;

/// Rainbow Memory's perturbed views of candidates and what is made of the network's answers to them (Bang et
/// al., CVPR 2021, section 4.1), for every method whose policy may ask for uncertainty.
struct ViewOptions {
  std::string perturbation = "vr_randaug";
  int64_t views = kPerturbations;
  std::string uncertainty = "votes";
  double feature_dropout = 0.5;

  void bind(OptionTable& table, const std::string& prefix);
  Views make(uint64_t seed) const;
};

}  // namespace perennial
