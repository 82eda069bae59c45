#include "sidecar/cli/terminal/progress_line.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sidecar/cli/output.h"
#include "sidecar/cli/terminal/terminal.h"

namespace zrs::cli {
namespace {

constexpr char kLineGone[] = "\r\033[K";

absl::Duration MonotonicNow() { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); }

}  // namespace

const char* LineGone() { return IsTerminal(STDERR_FILENO) ? kLineGone : ""; }

ProgressLine::ProgressLine(absl::string_view what) {
  if (IsTerminal(STDERR_FILENO)) progress_.emplace(what, WindowSizeOf(STDERR_FILENO).columns, MonotonicNow());
}

ProgressLine::~ProgressLine() {
  if (progress_) Print(stderr, progress_->Finish());
}

void ProgressLine::Update(uint64_t done, uint64_t total) {
  if (progress_) Print(stderr, progress_->Update(done, total, MonotonicNow()));
}

WaitingLine::WaitingLine() : began_(MonotonicNow()) {}

void WaitingLine::Say(absl::string_view words) {
  if (!IsTerminal(STDERR_FILENO) || MonotonicNow() - began_ < absl::Seconds(1)) return;
  visible_ = true;
  // The last column would wrap on some.
  Print(stderr, absl::StrCat(kLineGone, words.substr(0, WindowSizeOf(STDERR_FILENO).columns - 1)));
}

void WaitingLine::End() {
  if (std::exchange(visible_, false)) Print(stderr, kLineGone);
}

}  // namespace zrs::cli
