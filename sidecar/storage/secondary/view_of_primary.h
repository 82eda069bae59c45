// What a secondary knows of its primary, from its upstream's heartbeats and bytes. Pure function; any thread.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_VIEW_OF_PRIMARY_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_VIEW_OF_PRIMARY_H_

#include <optional>

#include "absl/time/time.h"
#include "filestorage/boundary.h"
#include "sidecar/replication/follower_session.h"
#include "sidecar/storage/secondary/upstream_lag.h"
#include "sidecar/storage/source.h"

namespace zrs::storage {

// The largest committed end that the stream told of, by heartbeats or bytes.
uint64_t KnownEnd(const replication::FollowerSession& session);

struct SecondaryNow {
  const UpstreamLag& lag;
  const replication::FollowerSession* session = nullptr;  // null: no connection
  const filestorage::Boundary& committed;                 // of the live copy, durable
  absl::Duration last_current;                            // when that was last being followed
};

// nullopt while no heartbeat of the primary is fresh at `now` (monotonic). While another file is built beside the live
// one, their offsets cannot be compared: then the bytes are those that are still to come, and the seconds how long the
// live one may have missed something. Where that had all when the last heartbeat was sent, it is not counted.
std::optional<PrimaryView> ViewOfPrimary(const SecondaryNow& secondary, absl::Duration now);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_VIEW_OF_PRIMARY_H_
