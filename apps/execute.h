#pragma once

#include "apps/commands.h"
#include "perennial/run/run.h"

namespace perennial::apps {

/// Goes on with a run to its end and says what has become of it: as lines for people, or metrics.json.
void execute(Run& run, const Common& common, Progress& progress);

}  // namespace perennial::apps
