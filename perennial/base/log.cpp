#include "perennial/base/log.h"

#include <memory>
#include <utility>
#include <vector>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "perennial/base/context.h"
#include "perennial/base/error.h"

namespace perennial {
namespace {

std::shared_ptr<spdlog::logger> silent() { return std::make_shared<spdlog::logger>("perennial"); }

spdlog::sink_ptr warnings_on_terminal() {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  sink->set_level(spdlog::level::warn);
  sink->set_pattern("%l: %v");
  return sink;
}

}  // namespace

Log::Log() : logger_(silent()) {}

void Log::info(const std::string& line) { logger_->info("{}", line); }
void Log::warning(const std::string& line) { logger_->warn("{}", line); }

void Log::to(const std::filesystem::path& file, bool terminal) {
  std::vector<spdlog::sink_ptr> sinks;
  try {
    sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string()));
  } catch (const spdlog::spdlog_ex& e) {
    throw Error({"opening the log", file.string(), "", e.what()});
  }
  sinks.back()->set_pattern("%Y-%m-%dT%H:%M:%S%z %l %v");
  if (terminal) sinks.push_back(warnings_on_terminal());
  logger_ = std::make_shared<spdlog::logger>("perennial", sinks.begin(), sinks.end());
  logger_->flush_on(spdlog::level::info);
  // A log is no result: on a full disk its lines are lost, which is said once, and the work goes on.
  const std::shared_ptr<spdlog::sinks::sink> screen = terminal ? sinks.back() : nullptr;
  logger_->set_error_handler([screen, told = false](const std::string& what) mutable {
    if (screen == nullptr || std::exchange(told, true)) return;
    screen->log({"perennial", spdlog::level::warn, fmt::format("lines of the log are lost: {}", what)});
  });
}

void Log::to_terminal() { logger_ = std::make_shared<spdlog::logger>("perennial", warnings_on_terminal()); }

void Log::to_nothing() { logger_ = silent(); }

void log_info(const std::string& line) { Context::current().log.info(line); }
void log_warning(const std::string& line) { Context::current().log.warning(line); }

}  // namespace perennial
