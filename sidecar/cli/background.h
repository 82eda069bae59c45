// A process that goes on in the background once it is up.
#ifndef ZRS_SIDECAR_CLI_BACKGROUND_H_
#define ZRS_SIDECAR_CLI_BACKGROUND_H_

#include <sys/types.h>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace zrs::cli {

// What the child calls once, when it is up; from then on it has no terminal, and its standard streams are /dev/null.
using OnUp = absl::FunctionRef<void()>;

// Forks. In the child, calls `run`, in a session of its own, and ends the process with the exit code 0 where `run`
// returns OK, else 1. In the parent, returns the child's process id once it is up, or the error with which `run` ended
// before; Internal, with how it ended, when it said nothing. Only before any thread was started.
absl::StatusOr<pid_t> RunInBackground(absl::FunctionRef<absl::Status(OnUp)> run);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_BACKGROUND_H_
