// The line that tells how far a long piece of work has come.
#ifndef ZRS_SIDECAR_CLI_TERMINAL_PROGRESS_H_
#define ZRS_SIDECAR_CLI_TERMINAL_PROGRESS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace zrs::cli {

// Pure: times are given, and what it returns is for the caller to write to the terminal. Work that is done within a
// second leaves no trace there.
class Progress {
 public:
  // `what` stands before the bar; `columns` is the terminal's width; `now` is when the work begins (monotonic, as all
  // times here).
  Progress(absl::string_view what, size_t columns, absl::Duration now);

  // `done` of `total` bytes are done. The line, written over the one before; "" when that would be too early or too
  // soon after the last one. `done` may go back, as when a part is looked at again.
  std::string Update(uint64_t done, uint64_t total, absl::Duration now);

  // Clears the line; "" where there was none.
  std::string Finish();

 private:
  struct Sample {
    absl::Duration time;
    uint64_t done = 0;
  };
  // Bytes per second in the last seconds; 0 while not known.
  double Rate() const;
  std::string Line(uint64_t done, uint64_t total) const;

  const std::string what_;
  const size_t columns_;
  const absl::Duration began_;
  absl::Duration drawn_;  // when last
  bool visible_ = false;
  std::deque<Sample> samples_;  // of the last seconds, at most one for each line drawn
};

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_TERMINAL_PROGRESS_H_
