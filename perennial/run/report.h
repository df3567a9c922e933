#pragma once

#include <filesystem>
#include <string>

namespace perennial {

/// The report of a run with the sections that its task adds; see run_html().
std::string report_html(const std::filesystem::path& run);

}  // namespace perennial
