// From a configuration file to validated settings. Reads the configuration, and the database's own where it is named;
// resolves names of files and users; touches nothing else.
#ifndef ZRS_SIDECAR_CONFIG_LOADER_H_
#define ZRS_SIDECAR_CONFIG_LOADER_H_

#include <string>

#include "absl/status/statusor.h"
#include "sidecar/config/environment.h"
#include "sidecar/config/settings.h"

namespace zrs::config {

// InvalidArgument "FILE:LINE: what; remedy" for the first thing that is wrong. When the file `path` itself cannot be
// read: NotFound, PermissionDenied, ... with "FILE: ...".
absl::StatusOr<Settings> LoadSettings(const std::string& path);
absl::StatusOr<Settings> LoadSettings(const std::string& path, const Environment& environment);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_LOADER_H_
