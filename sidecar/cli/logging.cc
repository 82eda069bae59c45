#include "sidecar/cli/logging.h"

#include <cstddef>
#include <ctime>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sidecar/text/printable.h"
#include "spdlog/async.h"
#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/basic_file_sink.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace zrs::cli {
namespace {

// Messages that wait for the disk, the terminal or journald. Who logs on a strand must not wait for them: where
// there are more, the oldest are dropped.
constexpr size_t kMostWaiting = 1024;

// A message's text. It may quote a file, a path or a peer: what a terminal would obey, and what is not UTF-8, does not
// get into the log, and a message is one line of it.
class CleanText final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string clean = text::Clean(absl::string_view(message.payload.data(), message.payload.size()));
    out.append(clean.data(), clean.data() + clean.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<CleanText>(); }
};

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
    spdlog::init_thread_pool(kMostWaiting, 1);
    logger = settings.log_file.empty()
                 ? spdlog::create_async_nb<spdlog::sinks::stderr_sink_mt>("zrs")
                 : spdlog::create_async_nb<spdlog::sinks::basic_file_sink_mt>("zrs", settings.log_file);
  } catch (const spdlog::spdlog_ex& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("open log-file: ", error.what(), "; check that its directory exists and may be written"));
  }
  logger->set_level(LevelOf(settings.log_level));
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<CleanText>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %*");
  logger->set_formatter(std::move(formatter));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  return absl::OkStatus();
}

}  // namespace zrs::cli
