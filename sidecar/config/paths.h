// Names of files in the configuration, and the ones that are derived from the configuration's own name.
#ifndef ZRS_SIDECAR_CONFIG_PATHS_H_
#define ZRS_SIDECAR_CONFIG_PATHS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sidecar/config/environment.h"

namespace zrs::config {

// `text` as an absolute path; a relative one is relative to `directory`. InvalidArgument "what; remedy" when it is
// empty, quoted, or (with `is_file`) ends with a slash.
absl::StatusOr<std::string> ResolvePath(absl::string_view text, const std::string& directory, bool is_file);

// What tells files apart: the real path; for a file that does not exist yet, its name in the real path of its
// directory; else the path itself, normalised.
std::string IdentifyingPath(const std::string& path, const Environment& environment);

// Where the admin socket and the state are when the configuration with the real path `real_path` does not say. Two
// configurations on one host never get the same. Errors as above.
absl::StatusOr<std::string> DefaultAdminSocket(const std::string& real_path, const Environment& environment);
absl::StatusOr<std::string> DefaultStateDirectory(const std::string& real_path, const Environment& environment);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_PATHS_H_
