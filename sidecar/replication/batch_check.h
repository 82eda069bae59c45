// Whether a batch is the one that is due. Pure function; any thread.
#ifndef ZRS_SIDECAR_REPLICATION_BATCH_CHECK_H_
#define ZRS_SIDECAR_REPLICATION_BATCH_CHECK_H_

#include <cstdint>

#include "absl/status/status.h"
#include "filestorage/boundary.h"
#include "proto/zrs/v1/replication.pb.h"

namespace zrs::replication {

// InvalidArgument or DataLoss, naming what is wrong, unless `batch` begins at `offset`, has 1 to `largest` bytes with
// their digest, and `last` as its predecessor. Whether the bytes are sound is another question.
absl::Status CheckBatch(const v1::Batch& batch, uint64_t offset, const filestorage::Boundary& last, uint64_t largest);

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_BATCH_CHECK_H_
