#include "sidecar/cli/log_command.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <limits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "filestorage/posix_file_system.h"
#include "filestorage/transaction_log.h"
#include "sidecar/cli/data_file_argument.h"
#include "sidecar/cli/log_report.h"
#include "sidecar/cli/output.h"

namespace zrs::cli {
namespace {

constexpr size_t kTidDigits = 16;
constexpr size_t kEnoughToPrint = size_t{64} << 10;

// Standard output, to which lines go many at a time.
class Lines {
 public:
  // False when they cannot be written any more.
  bool Add(std::string line) {
    waiting_ += line;
    return waiting_.size() < kEnoughToPrint || Flush();
  }

  bool Flush() {
    if (error_ == 0 && !Print(stdout, waiting_)) error_ = errno;
    waiting_.clear();
    return error_ == 0;
  }

  int error() const { return error_; }  // errno; 0: none

 private:
  std::string waiting_;
  int error_ = 0;
};

absl::StatusOr<filestorage::LogReport> List(const LogCommandOptions& options, const filestorage::LogOptions& wanted,
                                            Lines& lines) {
  filestorage::FileSystem& files = filestorage::PosixFileSystem();
  if (absl::Status regular = CheckIsRegular(files, "log", options.path); !regular.ok()) return regular;
  return filestorage::ReadTransactionLog(files, options.path, wanted,
                                         [&](const filestorage::LoggedTransaction& transaction) {
                                           return lines.Add(options.json ? LogJson(transaction) : LogLine(transaction));
                                         });
}

}  // namespace

std::optional<filestorage::Tid> ParseTid(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, "0x")) absl::ConsumePrefix(&text, "0X");
  filestorage::Tid tid = 0;
  if (text.size() != kTidDigits || text.find_first_not_of("0123456789abcdefABCDEF") != absl::string_view::npos ||
      !absl::SimpleHexAtoi(text, &tid)) {
    return std::nullopt;
  }
  return tid;
}

int LogCommand(const LogCommandOptions& options) {
  filestorage::LogOptions wanted;
  wanted.from = ParseTid(options.from).value_or(0);
  wanted.to = ParseTid(options.to).value_or(std::numeric_limits<filestorage::Tid>::max());
  wanted.limit = options.limit;
  if (wanted.to < wanted.from) {
    return Complain(absl::InvalidArgumentError("--to is before --from; no transaction can be listed"), kUsage);
  }
  // A reader who has seen enough (head) ends it by an error of writing, and not by a signal.
  std::signal(SIGPIPE, SIG_IGN);
  Lines lines;
  const absl::StatusOr<filestorage::LogReport> report = List(options, wanted, lines);
  const bool printed = lines.Flush();
  if (!report.ok()) return Complain(report.status(), kFailed);
  if (lines.error() == EPIPE) return kSuccess;
  if (!printed) return Complain(absl::ErrnoToStatus(lines.error(), "write to standard output"), kFailed);
  Print(stderr, LogNotes(options.path, *report));
  return report->sound ? kSuccess : kFailed;
}

}  // namespace zrs::cli
