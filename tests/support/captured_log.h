// What the code under test logs.
#ifndef ZRS_TESTS_SUPPORT_CAPTURED_LOG_H_
#define ZRS_TESTS_SUPPORT_CAPTURED_LOG_H_

#include <memory>
#include <sstream>
#include <string>

#include "spdlog/sinks/ostream_sink.h"
#include "spdlog/spdlog.h"

namespace zrs::tests {

// All of it while this lives, of every level, one line for a message. Threads may log; text() is for when none does.
class CapturedLog {
 public:
  CapturedLog() : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::ostream_sink_mt>(stream_));
    logger->set_pattern("%l: %v");
    logger->set_level(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
  }
  ~CapturedLog() { spdlog::set_default_logger(before_); }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  std::string text() const { return stream_.str(); }

 private:
  const std::shared_ptr<spdlog::logger> before_;
  std::ostringstream stream_;
};

}  // namespace zrs::tests

#endif  // ZRS_TESTS_SUPPORT_CAPTURED_LOG_H_
