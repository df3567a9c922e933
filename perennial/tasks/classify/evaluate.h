#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "perennial/base/progress.h"
#include "perennial/data/dataset.h"
#include "perennial/learn/predictor.h"

namespace perennial {

/// How often a classifying learner is right on a test set, by class.
struct Evaluation {
  std::vector<int64_t> total, correct;          ///< [labels]
  std::vector<std::vector<int64_t>> confusion;  ///< [true][predicted]

  int64_t images() const;
  /// Counts what another test set gave, too; one of more labels makes this one grow.
  void add(const Evaluation& other);
  /// Over the labels that `counted` marks (all when it is empty); NaN without images.
  double accuracy(const std::vector<char>& counted = {}) const;
  /// NaN without images of it.
  double class_accuracy(int64_t label) const;
};

/// Predicts the whole test set, `batch` rows at a time. Labels outside [0, labels) cannot be right.
Evaluation evaluate(const Predictor& predictor, const Dataset& test, int64_t labels, int64_t batch,
                    Progress& progress);

}  // namespace perennial
