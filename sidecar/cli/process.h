// One zrs process put together from its settings: storages, listeners, admin socket; runs until it is told to stop.
#ifndef ZRS_SIDECAR_CLI_PROCESS_H_
#define ZRS_SIDECAR_CLI_PROCESS_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "sidecar/config/settings.h"

namespace zrs::cli {

// Of the state directory, where it is created.
inline constexpr uint32_t kStateDirectoryMode = 0750;

// Calls `on_up` when it answers on all its addresses, and blocks until SIGTERM or SIGINT came and everything has
// stopped in order; a second signal ends the process at once with exit code 1. An error is one of starting (another
// process of this configuration, an address in use, a directory that cannot be written), and nothing runs then. Call
// once, before any other thread was started.
absl::Status RunProcess(const config::Settings& settings, absl::FunctionRef<void()> on_up);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_PROCESS_H_
