#pragma once

#include <CLI/CLI.hpp>

#include "apps/commands.h"

namespace perennial::apps {

/// `segment train`.
void add_matte_train(CLI::App& segment);

/// `resume` and `update` of a run of `segment train`. `moved`: where its photographs lie now, or nothing.
void resume_mattes(const std::string& run, const std::string& moved, const Settings& overrides,
                   const Common& common);
void update_mattes(const std::string& run, const Settings& data, const Settings& overrides,
                   const Common& common);

}  // namespace perennial::apps
