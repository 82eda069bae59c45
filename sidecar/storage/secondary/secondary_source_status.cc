// What a secondary tells of itself.
#include "sidecar/storage/identity.h"
#include "sidecar/storage/secondary/secondary_source.h"
#include "sidecar/storage/status_fields.h"

namespace zrs::storage {

using SessionState = replication::FollowerSession::State;

bool SecondarySource::serving() const { return health_.Healthy(state_, upstream_.get(), copy_.committed); }

std::optional<PrimaryView> SecondarySource::primary_view() const {
  return health_.primary_view(upstream_.get(), copy_.committed);
}

void SecondarySource::FillStatus(v1::StorageStatus& status) const {
  status.set_role("secondary");
  status.set_state(StateName(state_, writer_.paused(), upstream_ ? &upstream_->session() : nullptr));
  problem_.FillStatus(status);
  FillIdentity(copy_.lineage, status);
  health_.FillStatus(*status.mutable_upstream());
  search_.FillStatus(*status.mutable_upstream());
  swap_command_.FillStatus(status);
  FillComparisons(status);
  index_.FillStatus(status);
  if (!copy_.magic) return;
  FillPosition(copy_.committed, status);
  if (const std::optional<PrimaryView> primary = primary_view()) {
    status.set_lag_bytes(primary->bytes_ahead);
    status.set_lag_seconds(primary->seconds_ahead);
  }
  if (!upstream_) return;
  const replication::FollowerSession& session = upstream_->session();
  if (session.state() != SessionState::kCopying && session.state() != SessionState::kRebuilding) return;
  FillProgress(
      {session.start_offset(), session.durable().offset, session.upstream_end(), runtime_.Now() - stream_began_},
      *status.mutable_progress());
}

}  // namespace zrs::storage
