// How far a secondary is behind, as told by the heartbeats that reach it.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_LAG_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_LAG_H_

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "filestorage/format.h"
#include "proto/zrs/v1/replication.pb.h"

namespace zrs::storage {

// Pure; times are given. On the strand.
class UpstreamLag {
 public:
  // `durable`: this copy's durable end when the heartbeat came, at `now` (monotonic).
  void OnHeartbeat(const v1::Heartbeat& heartbeat, uint64_t durable, absl::Duration now);

  // The stream is over that told of `end`, the largest committed end: what is missing of that is missing until a
  // heartbeat tells otherwise. `oldest`, as below.
  void OnStreamLost(uint64_t end, filestorage::Tid oldest, uint64_t durable, absl::Duration now);

  // Whether the last heartbeat still counts: three of its primary's intervals long, and at least 3 s. Else the lag is
  // unknown.
  bool Fresh(absl::Duration now) const;
  // How long a heartbeat counts.
  absl::Duration FreshTime() const;
  // Bytes that are committed at the primary and not durable here; nullopt when unknown. `known_end`: the largest
  // committed end that the present stream has told of, or 0.
  std::optional<uint64_t> Bytes(uint64_t durable, uint64_t known_end, absl::Duration now) const;
  // Age in seconds, by the primary's clock, of the oldest commit that is not durable here: `oldest` is its tid where
  // it has been received. Where it has not, the age is counted from the first heartbeat that told of it.
  std::optional<double> Seconds(uint64_t durable, uint64_t known_end, filestorage::Tid oldest,
                                absl::Duration now) const;
  // The primary's clock, extrapolated from the last heartbeat. Only while that is fresh.
  absl::Time PrimaryNow(absl::Duration now) const;

 private:
  uint64_t KnownEnd(uint64_t known_end) const;

  std::optional<v1::Heartbeat> heartbeat_;
  absl::Duration received_;
  uint64_t lost_end_ = 0;  // of the stream that was lost since the last heartbeat
  // What told first of bytes which are not here yet: its time by the primary's clock, and its end.
  struct Behind {
    absl::Time since;
    uint64_t end = 0;
  };
  std::optional<Behind> behind_;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_LAG_H_
