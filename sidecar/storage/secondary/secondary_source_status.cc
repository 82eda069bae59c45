// What a secondary tells of itself.
#include "sidecar/storage/identity.h"
#include "sidecar/storage/secondary/secondary_source.h"
#include "sidecar/storage/status_fields.h"

namespace zrs::storage {

using SessionState = replication::FollowerSession::State;

// What was never all that the primary had is no copy yet, however little is missing.
bool SecondarySource::serving() const { return complete_ && health_.Healthy(state_, upstream_.get(), copy_.committed); }

std::optional<PrimaryView> SecondarySource::primary_view() const {
  std::optional<PrimaryView> view = health_.primary_view(upstream_.get(), copy_.committed);
  if (!view || complete_) return view;
  // What a first copy is without is as old as the database: only a transaction that has begun to arrive tells how old.
  const replication::FollowerSession* session = upstream_ ? &upstream_->session() : nullptr;
  const bool rebuilding = session != nullptr && session->rebuilding();
  const bool arriving = session != nullptr && session->oldest_not_durable() != 0;
  view->counted = !rebuilding && (arriving || view->bytes_ahead == 0);
  return view;
}

void SecondarySource::FillStatus(v1::StorageStatus& status) const {
  status.set_role("secondary");
  status.set_state(StateName(state_, writer_.paused(), upstream_.get()));
  problem_.FillStatus(status);
  FillIdentity(copy_.lineage, status);
  health_.FillStatus(*status.mutable_upstream());
  if (upstream_ && upstream_->over()) status.mutable_upstream()->set_connected(false);
  search_.FillStatus(*status.mutable_upstream());
  swap_command_.FillStatus(status);
  FillComparisons(status);
  index_.FillStatus(status);
  if (!copy_.magic) return;
  FillPosition(copy_.committed, status);
  if (const std::optional<PrimaryView> primary = primary_view(); primary && primary->counted) {
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
