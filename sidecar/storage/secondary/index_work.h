// The long work on a copy's index.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_INDEX_WORK_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_INDEX_WORK_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "filestorage/file_system.h"
#include "filestorage/index/index_builder.h"

namespace zrs::storage {

// The index of the copy `path` up to `end` (bytes), from the one that is there on, in some 10 MB of memory. Blocks; on
// any thread, beside an appender. Ends soon once `cancelled`, which any thread may set, is true. Errors as
// filestorage::PrepareIndex's; ResourceExhausted also where there is little room on the disk, which is left to the
// copy.
absl::StatusOr<filestorage::PreparedIndex> PrepareCopyIndex(filestorage::FileSystem& file_system,
                                                            const std::string& path, uint64_t end,
                                                            const std::atomic<bool>& cancelled);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_INDEX_WORK_H_
