#include "sidecar/storage/secondary/view_of_primary.h"

#include <algorithm>
#include <cstdint>

#include "filestorage/format.h"

namespace zrs::storage {
namespace {

std::optional<PrimaryView> WhileRebuilding(const SecondaryNow& secondary, absl::Duration now) {
  const replication::FollowerSession& session = *secondary.session;
  if (!secondary.lag.Fresh(now) || !session.heartbeat()) return std::nullopt;
  const absl::Time primary_now = secondary.lag.PrimaryNow(now);
  if (session.heartbeat()->tid() == secondary.committed.tid) {
    // Nothing was missing when it was sent. Of what was committed since only the next one tells.
    const absl::Time sent = absl::FromUnixMicros(session.heartbeat()->primary_time_micros());
    return PrimaryView{primary_now, 0, absl::ToDoubleSeconds(primary_now - sent), /*counted=*/false};
  }
  const uint64_t to_come = session.upstream_end() - std::min(session.upstream_end(), session.durable().offset);
  // A new file that is here and not in its place leaves the live one without something all the same.
  return PrimaryView{primary_now, to_come, absl::ToDoubleSeconds(now - secondary.last_current),
                     /*counted=*/to_come > 0};
}

}  // namespace

uint64_t KnownEnd(const replication::FollowerSession& session) {
  return std::max(session.upstream_end(), session.received_offset());
}

std::optional<PrimaryView> ViewOfPrimary(const SecondaryNow& secondary, absl::Duration now) {
  const replication::FollowerSession* session = secondary.session;
  if (session != nullptr && session->rebuilding()) return WhileRebuilding(secondary, now);
  const uint64_t durable = secondary.committed.offset;
  const filestorage::Tid oldest = session != nullptr ? session->oldest_not_durable() : 0;
  const uint64_t known_end = session != nullptr ? KnownEnd(*session) : 0;
  const std::optional<uint64_t> bytes = secondary.lag.Bytes(durable, known_end, now);
  const std::optional<double> seconds = secondary.lag.Seconds(durable, known_end, oldest, now);
  if (!bytes || !seconds) return std::nullopt;
  return PrimaryView{secondary.lag.PrimaryNow(now), *bytes, *seconds};
}

}  // namespace zrs::storage
