#pragma once

#include <filesystem>
#include <string>

namespace perennial::report {

/// The page of a run of mattes (`perennial segment train`): figures, curves, forgetting from chunk to chunk,
/// and mattes.png. Throws Error when metrics.json or the picture is not what such a run writes.
std::string matte_report_html(const std::filesystem::path& run);

}  // namespace perennial::report
