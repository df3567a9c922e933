#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace perennial {

/// The report of one run as a page: a single HTML file that needs no network and no script, reads
/// run/metrics.json, run/config.toml and run/memory.png, follows the reader's light or dark setting and
/// prints. `of_task`: sections that the run's task adds. A run that has not finished says so. Throws Error
/// when metrics.json cannot be read or is not what a run writes.
std::string run_html(const std::filesystem::path& run, const std::string& of_task = "");

/// Several runs beside each other as such a page. Runs that differ only in their seed are one row: mean and
/// standard deviation. Throws std::invalid_argument without runs, Error as run_html.
std::string compare_html(const std::vector<std::filesystem::path>& runs);

/// The same as a table for a terminal, lines ended by newlines.
std::string compare_table(const std::vector<std::filesystem::path>& runs);

}  // namespace perennial
