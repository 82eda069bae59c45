// What storages of one process must not have in common.
#ifndef ZRS_SIDECAR_CONFIG_CONFLICTS_H_
#define ZRS_SIDECAR_CONFIG_CONFLICTS_H_

#include "absl/status/status.h"
#include "sidecar/config/environment.h"
#include "sidecar/config/settings.h"

namespace zrs::config {

// Names and data files are distinct (files by their real paths); storages with one listening address agree on
// `insecure`, and with different ones can listen on all of them at once, as far as names tell; nobody listens on the
// admin socket or the health address. InvalidArgument "FILE:LINE: what; remedy", at the later storage.
absl::Status CheckConflicts(const Settings& settings, const Environment& environment);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_CONFLICTS_H_
