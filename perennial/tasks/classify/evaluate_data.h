#pragma once

#include <map>
#include <string>
#include <vector>

#include "perennial/tasks/classify/classify_recipe.h"

namespace perennial {

/// A model measured on the test part of any data set, classes matched by name.
struct DataEvaluation {
  double accuracy = 0;
  int64_t images = 0;
  std::map<std::string, double> per_class;
  std::vector<std::string> unknown_classes;  ///< of the data, not of the model: counted as wrong

  /// accuracy, per_class, images, unknown_classes.
  nlohmann::json to_json() const;
};

/// Of a run's learner.
DataEvaluation evaluate_learner(const ClassifyRecipe& recipe, const Learner& learner, DataOptions data,
                                Progress& progress);

/// The configuration's weights, with a head of as many classes as its data have, in their order. Error when
/// they do not fit.
DataEvaluation evaluate_weights(const ClassifyConfig& config, Progress& progress);

}  // namespace perennial
