// Runs a user's command beside this process.
#ifndef ZRS_SIDECAR_RUNTIME_COMMAND_RUNNER_H_
#define ZRS_SIDECAR_RUNTIME_COMMAND_RUNNER_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

namespace zrs::runtime {

using Variables = std::vector<std::pair<std::string, std::string>>;  // name and value, for a command's environment

// Runs `command` by `/bin/sh -c`, in this process's environment with `variables` added, in a process group of its own,
// with nothing to read; what it prints goes to standard error. `done` comes once, on a thread of its own (or, where
// none is to be had, before this returns): OK when it ended with 0, else Aborted, naming how it ended and the last 1
// KiB that it had printed until then, or why it could not be started. What it leaves running is not waited for. It
// returns at once; thread-safe.
void RunShellCommand(const std::string& command, const Variables& variables,
                     absl::AnyInvocable<void(absl::Status)> done);

}  // namespace zrs::runtime

#endif  // ZRS_SIDECAR_RUNTIME_COMMAND_RUNNER_H_
