// A file that was built beside the live one takes its place.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_SWAP_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_SWAP_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "filestorage/boundary.h"
#include "filestorage/file_system.h"

namespace zrs::storage {

// The steps, each durable before the next:
//   1. `Data.fs.index` is removed: it describes the old file;
//   2. with `keep_old`, the live file gets `Data.fs.old` as a second name. The file that had it goes if it is the one
//      that was kept by the last swap, which ended at `kept`; any other, and every symbolic link, gets a free name,
//      `Data.fs.old1` and so on;
//   3. `Data.fs.zrs-new` is renamed to the live name, which is never absent.
// The caller has made durable that this is to be (and of what), and that all of the new file is; and finds out after a
// crash, by looking at the live file, whether it was done. May be called again until then. Blocks on the disk.
// ResourceExhausted leaves the live file under its name. Any other error may have come before or after the rename.
absl::Status SwapFiles(filestorage::FileSystem& file_system, const std::string& data_path, bool keep_old,
                       const std::optional<filestorage::Boundary>& kept);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_SWAP_H_
