// What a follower has when a stream begins. Plain value; any thread.
#ifndef ZRS_SIDECAR_REPLICATION_COPY_H_
#define ZRS_SIDECAR_REPLICATION_COPY_H_

#include <cstdint>
#include <optional>

#include "filestorage/boundary.h"
#include "filestorage/format.h"
#include "proto/zrs/v1/replication.pb.h"

namespace zrs::replication {

// A part of a file that is to take the place of the follower's own one.
struct RebuildCopy {
  v1::Lineage lineage;
  filestorage::Boundary committed;  // durable; offset 0: nothing yet
};

struct Copy {
  v1::Lineage lineage;                      // database_id empty: none adopted yet
  std::optional<filestorage::Magic> magic;  // absent: there is no file yet
  filestorage::Boundary committed;          // durable; offset 0 without a file
  uint32_t file_mode = 0;                   // permission bits, of 0777; 0: not known
  std::optional<RebuildCopy> rebuild = {};
  // This host was a primary in the last epoch of `lineage`, and a person told it to follow.
  bool yields = false;
};

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_COPY_H_
