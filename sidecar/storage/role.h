// What a storage is, where its configuration and its state do not say the same.
#ifndef ZRS_SIDECAR_STORAGE_ROLE_H_
#define ZRS_SIDECAR_STORAGE_ROLE_H_

#include <string>

#include "absl/status/statusor.h"
#include "filestorage/file_system.h"

namespace zrs::storage {

// Whether the storage with this state file, whose configuration tells it to follow, is a primary all the same: it was
// promoted, and neither demoted nor configured as a primary since. Blocks on the disk. Errors: StateFile::Load's.
absl::StatusOr<bool> WasPromoted(filestorage::FileSystem& file_system, const std::string& state_path);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_ROLE_H_
