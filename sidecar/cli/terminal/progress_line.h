// The progress of long work of a command, on the terminal behind standard error.
#ifndef ZRS_SIDECAR_CLI_TERMINAL_PROGRESS_LINE_H_
#define ZRS_SIDECAR_CLI_TERMINAL_PROGRESS_LINE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sidecar/cli/terminal/progress.h"

namespace zrs::cli {

// What clears the line on standard error; empty where that is no terminal. Never freed.
const char* LineGone();

// Written over while the work goes on, gone when this is; nothing where standard error is no terminal.
class ProgressLine {
 public:
  explicit ProgressLine(absl::string_view what);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // In bytes.
  void Update(uint64_t done, uint64_t total);

 private:
  std::optional<Progress> progress_;
};

// The same of a wait, of which nobody knows how long it will be: words.
class WaitingLine {
 public:
  WaitingLine();
  ~WaitingLine() { End(); }
  WaitingLine(const WaitingLine&) = delete;
  WaitingLine& operator=(const WaitingLine&) = delete;

  // Nothing in the first second. What does not fit the terminal's width is cut.
  void Say(absl::string_view words);
  // It is gone.
  void End();

 private:
  const absl::Duration began_;
  bool visible_ = false;
};

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_TERMINAL_PROGRESS_LINE_H_
