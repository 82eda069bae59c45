#include "sidecar/cli/index_command.h"

#include <cstdint>
#include <cstdio>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "filestorage/index/index_builder.h"
#include "filestorage/posix_file_system.h"
#include "sidecar/cli/data_file_argument.h"
#include "sidecar/cli/index_report.h"
#include "sidecar/cli/output.h"
#include "sidecar/cli/terminal/progress_line.h"
#include "sidecar/cli/terminal/terminal.h"
#include "sidecar/text/printable.h"

namespace zrs::cli {
namespace {

absl::StatusOr<filestorage::IndexReport> BuildWithProgress(const IndexCommandOptions& options) {
  filestorage::FileSystem& files = filestorage::PosixFileSystem();
  if (absl::Status regular = CheckIsRegular(files, "index", options.path); !regular.ok()) return regular;
  RememberSignals();
  ProgressLine line("index");
  filestorage::IndexOptions build;
  build.go_on = options.update;
  build.progress = [&line](uint64_t done, uint64_t total) {
    line.Update(done, total);
    return RememberedSignal() == 0;
  };
  return filestorage::BuildIndex(files, options.path, build);
}

}  // namespace

int IndexCommand(const IndexCommandOptions& options) {
  const absl::StatusOr<filestorage::IndexReport> report = BuildWithProgress(options);
  if (!report.ok()) {
    if (absl::IsCancelled(report.status())) DieOf(RememberedSignal());
    return Complain(report.status(), kFailed);
  }
  if (!report->not_gone_on.empty()) {
    Print(stderr, absl::StrCat("zrs: the index was made from the beginning: ", text::Clean(report->not_gone_on), "\n"));
  }
  return PrintResult(options.json ? IndexToJson(options.path, *report) : IndexToText(options.path, *report), kSuccess);
}

}  // namespace zrs::cli
