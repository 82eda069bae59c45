// One zrs process put together from its settings: storages, listeners, admin socket; runs until it is told to stop.
#ifndef ZRS_SIDECAR_CLI_PROCESS_H_
#define ZRS_SIDECAR_CLI_PROCESS_H_

#include "absl/status/status.h"
#include "sidecar/config/settings.h"

namespace zrs::cli {

// Blocks until SIGTERM or SIGINT came and everything has stopped in order; a second signal ends the process at once
// with exit code 1. An error is one of starting (another process of this configuration, an address in use, a directory
// that cannot be written), and nothing runs then. Call once, before any other thread was started.
absl::Status RunProcess(const config::Settings& settings);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_PROCESS_H_
