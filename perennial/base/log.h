#pragma once

#include <filesystem>
#include <string>

namespace perennial {

/// One line for the log of the run; silent until a program attaches a file or the terminal.
void log_info(const std::string& line);
void log_warning(const std::string& line);

/// Appends log lines to a file (with times), and warnings to standard error when `terminal` is set. Throws
/// Error when the file cannot be opened. Lines that cannot be written later (a full disk) are lost, with one
/// warning.
void log_to(const std::filesystem::path& file, bool terminal);

/// Warnings to standard error, and nothing to a file.
void log_to_terminal();

/// Stops logging to a file.
void log_to_nothing();

}  // namespace perennial
