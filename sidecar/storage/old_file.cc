#include "sidecar/storage/old_file.h"

#include <memory>

#include "absl/status/status.h"
#include "filestorage/boundary_probe.h"
#include "filestorage/format.h"

namespace zrs::storage {

absl::StatusOr<bool> FileHasBoundary(filestorage::FileSystem& file_system, const std::string& path,
                                     const filestorage::Boundary& boundary) {
  auto file = file_system.OpenForReading(path);
  if (absl::IsNotFound(file.status())) return false;
  if (!file.ok()) return file.status();
  for (const filestorage::Magic magic : {filestorage::Magic::kFs30, filestorage::Magic::kFs21}) {
    const absl::StatusOr<bool> has = filestorage::HasBoundary(**file, magic, boundary);
    if (!has.ok() || *has) return has;
  }
  return false;
}

absl::StatusOr<size_t> ReadFileIfThere(filestorage::FileSystem& file_system, const std::string& path, uint64_t offset,
                                       absl::Span<char> out) {
  auto file = file_system.OpenForReading(path);
  if (absl::IsNotFound(file.status())) return 0;
  if (!file.ok()) return file.status();
  return (*file)->ReadAt(offset, out);
}

}  // namespace zrs::storage
