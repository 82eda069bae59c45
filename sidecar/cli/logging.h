// Where the log goes.
#ifndef ZRS_SIDECAR_CLI_LOGGING_H_
#define ZRS_SIDECAR_CLI_LOGGING_H_

#include "absl/status/status.h"
#include "sidecar/config/settings.h"

namespace zrs::cli {

// Standard error, or the configured file (appended to; opened again by nothing: a rotation copies and truncates).
// A thread of its own writes it, so that nobody who logs waits for that: a log that takes nothing any more loses its
// oldest messages. What is waiting is written by what std::exit calls. To be called after the last fork.
// InvalidArgument, naming the file, when it cannot be opened.
absl::Status StartLogging(const config::SidecarSettings& settings);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_LOGGING_H_
