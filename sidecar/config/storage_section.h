// One replicated storage, from its section.
#ifndef ZRS_SIDECAR_CONFIG_STORAGE_SECTION_H_
#define ZRS_SIDECAR_CONFIG_STORAGE_SECTION_H_

#include <string>

#include "absl/status/statusor.h"
#include "sidecar/config/keys.h"
#include "sidecar/config/settings.h"
#include "sidecar/config/zconfig.h"

namespace zrs::config {

// `kind` is kZrs, kPrimary or kSecondary. Paths are relative to `directory`. Checks everything that can be checked
// within the section. InvalidArgument "FILE:LINE: what; remedy".
absl::StatusOr<StorageSettings> ReadStorage(const Section& section, SectionKind kind, const std::string& directory);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_STORAGE_SECTION_H_
