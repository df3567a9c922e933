#pragma once

#include "perennial/tasks/classify/config.h"

namespace perennial {

class State;

/// Turns a state of the first format, which had the words of a run and of its data in one place and in which
/// an update was no task, into one of this version.
void upgrade_format1(State& state, const ClassifyConfig& config);

}  // namespace perennial
