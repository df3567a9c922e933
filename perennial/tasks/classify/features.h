#pragma once

#include "perennial/tasks/classify/config.h"

namespace perennial {

/// Replaces the images of a source by the features of a frozen backbone (`model.freeze = features`): float
/// [N, D]. Computed once and kept in the cache folder under a hash of weights, images and model. `model` is
/// the configuration's, with the weights where they lie now.
void replace_by_features(const ClassifyConfig& config, const ModelOptions& model,
                         const Normalisation& normalisation, DataSource& source, Progress& progress);

}  // namespace perennial
