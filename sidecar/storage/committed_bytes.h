// What publishers read from: the committed bytes of a storage, whoever keeps them.
#ifndef ZRS_SIDECAR_STORAGE_COMMITTED_BYTES_H_
#define ZRS_SIDECAR_STORAGE_COMMITTED_BYTES_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "sidecar/replication/known_followers.h"

namespace zrs::storage {

// On the storage's I/O thread only, but for Fresh.
class CommittedBytes {
 public:
  virtual ~CommittedBytes() = default;
  // Reads bytes below the committed end; fewer than out.size() only where that is reached. FailedPrecondition when
  // the file is not open (any more).
  virtual absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> out) = 0;
  // Whether what is remembered of followers tells that a file which the present one took the place of had exactly this
  // boundary. False where it does not tell.
  virtual bool RemembersPosition(const replication::OldPosition& position) = 0;
  // Whether what ReadOld reads, if anything, is the file that this position is in, or went on from it: known where the
  // present file took that one's place, and no other's since.
  virtual bool OldFileIsOf(const replication::OldPosition& position) { return position.just_before; }
  // Reads the file that the present one took the place of, as Read does; nothing (0 bytes) where it is gone.
  virtual absl::StatusOr<size_t> ReadOld(uint64_t offset, absl::Span<char> out) = 0;
  // On the strand. `size` committed bytes at `offset`, where those are at hand because they were committed just now: so
  // that what is live need not wait for the I/O thread twice. Else null. Lasts until the strand's next task.
  virtual const char* Fresh(uint64_t, uint64_t) const { return nullptr; }
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_COMMITTED_BYTES_H_
