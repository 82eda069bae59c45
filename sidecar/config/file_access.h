// To whom the files of a copy are given: `owner`, `group` and `mode`.
#ifndef ZRS_SIDECAR_CONFIG_FILE_ACCESS_H_
#define ZRS_SIDECAR_CONFIG_FILE_ACCESS_H_

#include "absl/status/status.h"
#include "sidecar/config/environment.h"
#include "sidecar/config/section_values.h"
#include "sidecar/config/settings.h"

namespace zrs::config {

// Sets these of `settings` from a secondary's section. InvalidArgument "FILE:LINE: what; remedy" for a name that this
// host does not know.
absl::Status ReadFileAccess(const SectionValues& values, const Environment& environment, StorageSettings* settings);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_FILE_ACCESS_H_
