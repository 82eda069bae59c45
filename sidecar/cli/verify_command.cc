#include "sidecar/cli/verify_command.h"

#include <unistd.h>

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "filestorage/posix_file_system.h"
#include "filestorage/verify.h"
#include "sidecar/cli/data_file_argument.h"
#include "sidecar/cli/output.h"
#include "sidecar/cli/terminal/progress_line.h"
#include "sidecar/cli/terminal/terminal.h"
#include "sidecar/cli/verify_report.h"

namespace zrs::cli {
namespace {

absl::StatusOr<filestorage::VerifyReport> VerifyWithProgress(const std::string& path) {
  filestorage::FileSystem& files = filestorage::PosixFileSystem();
  if (absl::Status regular = CheckIsRegular(files, "verify", path); !regular.ok()) return regular;
  if (IsTerminal(STDERR_FILENO)) EndOnSignals(STDERR_FILENO, LineGone(), AfterSignal::kDieOfIt);
  ProgressLine line("verify");
  return filestorage::Verify(files, path, [&line](uint64_t done, uint64_t total) {
    line.Update(done, total);
    return true;
  });
}

}  // namespace

int VerifyCommand(const std::string& path, bool json) {
  const absl::StatusOr<filestorage::VerifyReport> report = VerifyWithProgress(path);
  if (!report.ok()) return Complain(report.status(), kFailed);
  return PrintResult(
      json ? VerifyToJson(path, *report) : VerifyToText(path, *report, WindowSizeOf(STDOUT_FILENO).columns),
      report->sound ? kSuccess : kFailed);
}

}  // namespace zrs::cli
