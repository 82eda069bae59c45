// What a storage is, where its configuration and its state do not say the same.
#ifndef ZRS_SIDECAR_STORAGE_ROLE_H_
#define ZRS_SIDECAR_STORAGE_ROLE_H_

#include <string>

#include "filestorage/file_system.h"

namespace zrs::storage {

// Whether the storage with this state file, whose configuration tells it to follow `upstream`, is a primary all the
// same: it was promoted while its configuration told it to follow the same one. False where the state cannot be read,
// which whoever opens the file finds too. Blocks on the disk.
bool WasPromoted(filestorage::FileSystem& file_system, const std::string& state_path, const std::string& upstream);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_ROLE_H_
