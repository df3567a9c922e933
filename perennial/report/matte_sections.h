#pragma once

#include <filesystem>
#include <string>

namespace perennial::report {

/// What the page of a run of mattes shows beside what every run does: the foreground IoU over the epochs,
/// what became of each folder of photographs, the photographs with their mattes. Throws Error as run_html().
std::string matte_sections(const std::filesystem::path& run);

}  // namespace perennial::report
