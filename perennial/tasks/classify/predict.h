#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "perennial/base/error.h"
#include "perennial/tasks/classify/classify_recipe.h"

namespace perennial {

/// What a run's model says of one image file.
struct Prediction {
  std::string path;
  std::vector<std::pair<std::string, double>> classes;  ///< name and probability, most probable first
};

struct Predictions {
  std::vector<Prediction> made;
  std::vector<Error> bad;  ///< of files that cannot be decoded
};

/// Decodes, scales and classifies files, a batch at a time; at most `top` classes each.
Predictions predict_files(const ClassifyRecipe& recipe, const Learner& learner,
                          const std::vector<std::filesystem::path>& files, int64_t top, Progress& progress);

}  // namespace perennial
