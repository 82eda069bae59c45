// Parts of a storage's status that primaries and secondaries tell alike.
#ifndef ZRS_SIDECAR_STORAGE_STATUS_FIELDS_H_
#define ZRS_SIDECAR_STORAGE_STATUS_FIELDS_H_

#include <google/protobuf/message.h>

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

// Each text in `message`, and in what it consists of, as text::Clean leaves it: a status that quotes a file, a path or
// a peer can be sent whatever bytes are in that. (Protobuf's serializer does not take what is not UTF-8, and one text
// would cost the status of the whole process.)
void CleanTexts(google::protobuf::Message* message);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_STATUS_FIELDS_H_
