// Parts of a storage's status that primaries and secondaries tell alike.
#ifndef ZRS_SIDECAR_STORAGE_STATUS_FIELDS_H_
#define ZRS_SIDECAR_STORAGE_STATUS_FIELDS_H_

#include <cstdint>

#include "absl/time/time.h"
#include "filestorage/boundary.h"
#include "proto/zrs/v1/admin.pb.h"

namespace zrs::storage {

// The committed end, with the last transaction's id and time where there is one and its id is a time.
void FillPosition(const filestorage::Boundary& end, v1::StorageStatus& status);

// Long work: from `start` it has come to `done` since it began, `elapsed` ago, and ends at `total`. All are offsets in
// the file. Rate and time left only once something was done.
struct Work {
  uint64_t start = 0;
  uint64_t done = 0;
  uint64_t total = 0;
  absl::Duration elapsed;
};
void FillProgress(const Work& work, v1::Progress& progress);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_STATUS_FIELDS_H_
