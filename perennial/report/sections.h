#pragma once

#include <string>

#include "perennial/report/metrics.h"

namespace perennial::report {

/// The parts of a run's page, each a finished piece of HTML; empty when the run has nothing to show there.
/// Colours of tasks are the palette `t`, of classes `k`, of phases `p`.

std::string accuracy_section(const RunMetrics& run);
std::string forgetting_section(const RunMetrics& run);
std::string matrix_section(const RunMetrics& run);
std::string classes_section(const RunMetrics& run);
std::string confusion_section(const RunMetrics& run);

std::string stream_section(const RunMetrics& run);
std::string memory_section(const RunMetrics& run);
/// Reads memory.png from the run; throws Error when it is not the picture that metrics.json describes.
std::string kept_section(const RunMetrics& run);

std::string cost_section(const RunMetrics& run);
std::string updates_section(const RunMetrics& run);
std::string peeking_section(const RunMetrics& run);
std::string config_section(const RunMetrics& run);

/// "task 1" ... for people: files count from 0.
std::string task_name(size_t task);
std::vector<std::string> task_names(size_t count);

/// Counts of classes per task as bars (few classes) or as a map (many).
std::string composition_chart(const RunMetrics& run, const Table& counts, const std::string& label);

}  // namespace perennial::report
