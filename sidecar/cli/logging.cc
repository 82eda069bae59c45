#include "sidecar/cli/logging.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "spdlog/sinks/basic_file_sink.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace zrs::cli {
namespace {

spdlog::level::level_enum LevelOf(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::kDebug:
      return spdlog::level::debug;
    case config::LogLevel::kInfo:
      return spdlog::level::info;
    case config::LogLevel::kWarning:
      return spdlog::level::warn;
    case config::LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

absl::Status StartLogging(const config::SidecarSettings& settings) {
  std::shared_ptr<spdlog::logger> logger;
  try {
    logger =
        settings.log_file.empty() ? spdlog::stderr_logger_mt("zrs") : spdlog::basic_logger_mt("zrs", settings.log_file);
  } catch (const spdlog::spdlog_ex& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("open log-file: ", error.what(), "; check that its directory exists and may be written"));
  }
  logger->set_level(LevelOf(settings.log_level));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  return absl::OkStatus();
}

}  // namespace zrs::cli
