#include "sidecar/cli/verify_command.h"

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "filestorage/file_system.h"
#include "filestorage/posix_file_system.h"
#include "filestorage/verify.h"
#include "sidecar/cli/output.h"
#include "sidecar/cli/progress.h"
#include "sidecar/cli/terminal.h"
#include "sidecar/cli/verify_report.h"

namespace zrs::cli {
namespace {

absl::Duration MonotonicNow() { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); }

// Opening a pipe would wait for its writer, and a directory's error comes late and says little.
absl::Status CheckIsRegular(filestorage::FileSystem& files, const std::string& path) {
  const absl::StatusOr<filestorage::FileInfo> info = files.Stat(path);
  if (!info.ok()) return info.status();
  if (info->is_regular) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("verify ", path, ": it is not a regular file; name the data file itself"));
}

// The progress line on standard error; nothing where that is no terminal.
class ProgressLine {
 public:
  ProgressLine() {
    if (!IsTerminal(STDERR_FILENO)) return;
    EndOnSignals(STDERR_FILENO, "\r\033[K", AfterSignal::kDieOfIt);
    progress_.emplace("verify", WindowSizeOf(STDERR_FILENO).columns, MonotonicNow());
  }
  ~ProgressLine() {
    if (progress_) Print(stderr, progress_->Finish());
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Update(uint64_t done, uint64_t total) {
    if (progress_) Print(stderr, progress_->Update(done, total, MonotonicNow()));
  }

 private:
  std::optional<Progress> progress_;
};

absl::StatusOr<filestorage::VerifyReport> VerifyWithProgress(const std::string& path) {
  filestorage::FileSystem& files = filestorage::PosixFileSystem();
  if (absl::Status regular = CheckIsRegular(files, path); !regular.ok()) return regular;
  ProgressLine line;
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
