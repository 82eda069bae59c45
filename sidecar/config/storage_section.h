// One replicated storage, from its section.
#ifndef ZRS_SIDECAR_CONFIG_STORAGE_SECTION_H_
#define ZRS_SIDECAR_CONFIG_STORAGE_SECTION_H_

#include <string>

#include "absl/status/statusor.h"
#include "sidecar/config/environment.h"
#include "sidecar/config/keys.h"
#include "sidecar/config/settings.h"
#include "sidecar/config/zconfig.h"

namespace zrs::config {

// `kind` is kZrs, kPrimary or kSecondary. Paths are relative to `directory`. Checks everything that can be checked
// within the section. Reads the database's own configuration where the section names it. InvalidArgument "FILE:LINE:
// what; remedy".
absl::StatusOr<StorageSettings> ReadStorage(const Section& section, SectionKind kind, const std::string& directory,
                                            const Environment& environment);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_STORAGE_SECTION_H_
