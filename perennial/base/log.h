#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace spdlog {  // NOLINT(readability-identifier-naming)
class logger;       // NOLINT(readability-identifier-naming)
}

namespace perennial {

/// The lines that a piece of work leaves behind; silent until they are given somewhere to go. Any number of
/// threads may write, while none changes where to.
class Log {
 public:
  Log();

  void info(const std::string& line);
  void warning(const std::string& line);

  /// Appends lines to a file (with times), and warnings to standard error when `terminal` is set. Throws
  /// Error when the file cannot be opened. Lines that cannot be written later (a full disk) are lost, with
  /// one warning.
  void to(const std::filesystem::path& file, bool terminal);
  /// Warnings to standard error, and nothing to a file.
  void to_terminal();
  void to_nothing();

 private:
  std::shared_ptr<spdlog::logger> logger_;
};

/// One line for the log of the work that this thread does (Context::current()).
void log_info(const std::string& line);
void log_warning(const std::string& line);

}  // namespace perennial
