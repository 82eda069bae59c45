// Heartbeats: a primary's, and those that come from a publisher, which are checked here, once. Pure functions; any
// thread.
#ifndef ZRS_SIDECAR_REPLICATION_HEARTBEAT_MESSAGE_H_
#define ZRS_SIDECAR_REPLICATION_HEARTBEAT_MESSAGE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "filestorage/boundary.h"
#include "proto/zrs/v1/replication.pb.h"

namespace zrs::replication {

// Of a primary with this committed end: `now` by its clock, `interval` (at least 1 us) to the next one.
v1::Heartbeat MakeHeartbeat(const filestorage::Boundary& end, absl::Time now, absl::Duration interval,
                            const std::string& node_id);

inline constexpr int kLongestPath = 64;             // in nodes
inline constexpr uint64_t kMostMicros = INT64_MAX;  // of the age and of the interval

// InvalidArgument, naming the field, unless the path has 1 to kLongestPath node ids of 16 bytes, committed_end is a
// possible one, and the interval (above 0) and the age are at most kMostMicros.
absl::Status ValidateHeartbeat(const v1::Heartbeat& heartbeat);

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_HEARTBEAT_MESSAGE_H_
