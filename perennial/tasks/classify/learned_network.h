#pragma once

#include <filesystem>

#include "edge/compile/graph.h"

namespace perennial {

/// The classifier that `perennial learn` has left in a run's folder, as a network for the edge runtime:
/// outputs "logits", a row for each class that has been learned, in the order of the classes and labelled
/// with their names, and "features". Images become its input as they do for `perennial predict`. Classes that
/// are known and have not been learned yet, which are never predicted, are left out. A backbone that was
/// frozen may be in RUN/start.safetensors instead of RUN/model.safetensors. Throws Error that names what is
/// missing, of another kind, or nothing that the runtime runs.
edge::Graph learned_network(const std::filesystem::path& run);

}  // namespace perennial
