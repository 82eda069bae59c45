// The file that a storage's present one took the place of: after a pack it lies beside it, as `Data.fs.old`.
#ifndef ZRS_SIDECAR_STORAGE_OLD_FILE_H_
#define ZRS_SIDECAR_STORAGE_OLD_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "filestorage/boundary.h"
#include "filestorage/file_system.h"

namespace zrs::storage {

// Whether the file at `path`, of either magic, has exactly this boundary; false where there is none, or no FileStorage.
// Blocks on the disk.
absl::StatusOr<bool> FileHasBoundary(filestorage::FileSystem& file_system, const std::string& path,
                                     const filestorage::Boundary& boundary);

// As File::ReadAt of the file at `path`; 0 bytes where there is none. Blocks on the disk.
absl::StatusOr<size_t> ReadFileIfThere(filestorage::FileSystem& file_system, const std::string& path, uint64_t offset,
                                       absl::Span<char> out);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_OLD_FILE_H_
