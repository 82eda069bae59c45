// What publishers read from: the committed bytes of a storage, whoever keeps them.
#ifndef ZRS_SIDECAR_STORAGE_COMMITTED_BYTES_H_
#define ZRS_SIDECAR_STORAGE_COMMITTED_BYTES_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "filestorage/boundary.h"
#include "sidecar/replication/known_followers.h"

namespace zrs::storage {

// On the storage's I/O thread only, but for Fresh.
class CommittedBytes {
 public:
  virtual ~CommittedBytes() = default;
  // Reads bytes below the committed end; fewer than out.size() only where that is reached. FailedPrecondition when
  // the file is not open (any more).
  virtual absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> out) = 0;
  // Whether the committed bytes have exactly this boundary.
  virtual absl::StatusOr<bool> HasBoundary(const filestorage::Boundary& boundary) = 0;
  // Whether a file that the present one took the place of had exactly this boundary: by that file where it is the one
  // before, or by what is remembered of followers. False where neither tells.
  virtual absl::StatusOr<bool> HadPosition(const replication::OldPosition& position) = 0;
  // On the strand. `size` committed bytes at `offset`, where those are at hand because they were committed just now: so
  // that what is live need not wait for the I/O thread twice. Else null. Lasts until the strand's next task.
  virtual const char* Fresh(uint64_t, uint64_t) const { return nullptr; }
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_COMMITTED_BYTES_H_
