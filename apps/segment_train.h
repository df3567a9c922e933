#pragma once

#include <CLI/CLI.hpp>

#include "apps/commands.h"

namespace perennial::apps {

/// `segment train`.
void add_matte_train(CLI::App& segment);

}  // namespace perennial::apps
