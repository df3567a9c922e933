#pragma once

#include "perennial/run/config.h"

namespace perennial {

/// Replaces the images of a source by the features of a frozen backbone (`model.freeze = features`): float
/// [N, D]. Computed once and kept in the cache folder under a hash of weights, images and model. `model` is
/// the configuration's, with the weights where they lie now.
void replace_by_features(const RunConfig& config, const ModelOptions& model, DataSource& source,
                         Progress& progress);

}  // namespace perennial
