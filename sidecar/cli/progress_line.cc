#include "sidecar/cli/progress_line.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "absl/time/time.h"
#include "sidecar/cli/output.h"
#include "sidecar/cli/terminal.h"

namespace zrs::cli {
namespace {

absl::Duration MonotonicNow() { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); }

}  // namespace

ProgressLine::ProgressLine(absl::string_view what) {
  if (IsTerminal(STDERR_FILENO)) progress_.emplace(what, WindowSizeOf(STDERR_FILENO).columns, MonotonicNow());
}

ProgressLine::~ProgressLine() {
  if (progress_) Print(stderr, progress_->Finish());
}

void ProgressLine::Update(uint64_t done, uint64_t total) {
  if (progress_) Print(stderr, progress_->Update(done, total, MonotonicNow()));
}

}  // namespace zrs::cli
