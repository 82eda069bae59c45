// Proof that a file has a boundary that somebody else names.
#ifndef ZRS_FILESTORAGE_BOUNDARY_PROBE_H_
#define ZRS_FILESTORAGE_BOUNDARY_PROBE_H_

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "filestorage/boundary.h"
#include "filestorage/file_system.h"
#include "filestorage/format.h"

namespace zrs::filestorage {

// Reads at an offset as File::ReadAt does: fewer bytes than asked only at the end.
using ReadFunction = absl::FunctionRef<absl::StatusOr<size_t>(uint64_t offset, absl::Span<char> out)>;

// Whether the file has `magic` and exactly `boundary`: one sound, committed transaction from last_offset to offset,
// with its tid and digest; at offset 4 the magic alone. False for everything that differs, also for a file that is too
// short and for a boundary that no file can have (last_offset not below offset, offset 0). Reads the last transaction
// in pieces of 256 KiB, and no more of it than needed to tell. Blocks; an error is one of reading.
absl::StatusOr<bool> HasBoundary(ReadFunction read_at, Magic magic, const Boundary& boundary);
absl::StatusOr<bool> HasBoundary(File& file, Magic magic, const Boundary& boundary);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_BOUNDARY_PROBE_H_
