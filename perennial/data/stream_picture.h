#pragma once

#include <string>
#include <vector>

#include "perennial/data/stream.h"

namespace perennial {

struct Dataset;

/// A picture of a stream for a terminal, `width` columns wide (at least 40), in UTF-8 and without colour: a
/// row for each class in the order of arrival, a column for each slice of time, blocks as high as the class's
/// share of the slice, samples at the right and below. More than 40 classes are put together by the task that
/// brings them.
std::string draw_stream(const Dataset& dataset, const std::vector<Task>& tasks, int width);

/// The same as a standalone SVG: shares of the classes, stacked, over the stream.
std::string stream_svg(const Dataset& dataset, const std::vector<Task>& tasks);

}  // namespace perennial
