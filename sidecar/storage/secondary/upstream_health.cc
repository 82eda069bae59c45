#include "sidecar/storage/secondary/upstream_health.h"

#include <utility>

#include "filestorage/timestamp.h"
#include "sidecar/storage/secondary/view_of_primary.h"

namespace zrs::storage {
namespace {

using SessionState = replication::FollowerSession::State;

constexpr absl::Duration kLongEnding = absl::Seconds(1);

}  // namespace

UpstreamHealth::UpstreamHealth(const StorageOptions& options, runtime::Runtime& runtime, ProblemReport& problem)
    : options_(options), runtime_(runtime), problem_(problem), upstream_(options.upstreams.front()) {}

void UpstreamHealth::OnOpened() { last_current_ = runtime_.Now(); }

void UpstreamHealth::OnFollowing() {
  connected_ = true;
  since_ = runtime_.UnixNow();
  last_error_.reset();
}

void UpstreamHealth::OnProgress() {
  late_ = false;
  problem_.Clear();
}

void UpstreamHealth::OnDisconnected(const replication::FollowerSession& session, uint64_t committed) {
  late_ = false;
  if (!std::exchange(connected_, false)) return;
  since_ = runtime_.UnixNow();
  // What it told is about another file than the live one.
  if (session.rebuilding()) return OnReplaced();
  last_current_ = runtime_.Now();
  lag_.OnStreamLost(KnownEnd(session), session.oldest_not_durable(), committed, runtime_.Now());
}

bool UpstreamHealth::OnError(const std::string& message) { return std::exchange(last_error_, message) == message; }

std::optional<v1::Heartbeat> UpstreamHealth::OnHeartbeat(const replication::FollowerSession& session,
                                                         uint64_t committed) {
  const auto& heartbeat = session.heartbeat();
  if (!heartbeat || heartbeat->primary_time_micros() == last_heartbeat_) return std::nullopt;
  last_heartbeat_ = heartbeat->primary_time_micros();
  // While rebuilding its committed end is one of the new file: it says nothing to those that follow the live one, and
  // nothing about that one's lag.
  const bool rebuilding = session.rebuilding();
  lag_.OnHeartbeat(*heartbeat, rebuilding ? heartbeat->committed_end() : committed, runtime_.Now());
  if (rebuilding) return std::nullopt;
  v1::Heartbeat relayed = *heartbeat;
  relayed.add_path(options_.node_id);
  return relayed;
}

void UpstreamHealth::OnReplaced() {
  lag_ = UpstreamLag();
  last_heartbeat_ = -1;
}

void UpstreamHealth::OnPaused() { paused_ = true; }

void UpstreamHealth::OnResumed() {
  paused_ = false;
  resumed_ = runtime_.Now();
}

bool UpstreamHealth::ReadsAlong() const {
  return !paused_ && (!resumed_ || runtime_.Now() - *resumed_ >= lag_.FreshTime());
}

// What makes an otherwise sound connection unhealthy gets its reason too.
void UpstreamHealth::Report(SecondaryState state, const UpstreamConnection* upstream,
                            const filestorage::Boundary& committed) {
  if (upstream != nullptr && upstream->over()) return ReportEnding(state, *upstream);
  if (upstream != nullptr && upstream->session().state() != SessionState::kStreaming) {
    return ReportSilence(state, *upstream);
  }
  if (!connected_ || state != SecondaryState::kFollowing || (problem_.raised() && !late_)) return;
  const std::optional<PrimaryView> primary = primary_view(upstream, committed);
  if (KeepsUp(primary) || !ReadsAlong()) return SetLateness(std::nullopt);
  SetLateness(primary ? Behind(options_.max_lag) : Unheard(upstream_));
}

// A copy that is under way is told by its progress; one that has come to a halt has a reason.
void UpstreamHealth::ReportSilence(SecondaryState state, const UpstreamConnection& upstream) {
  if (state != SecondaryState::kConnecting && state != SecondaryState::kFollowing) return;
  if (!upstream.silent()) return SetLateness(std::nullopt);
  SetLateness(connected_ ? Unheard(upstream_) : Unanswered(upstream_));
}

// What is outstanding is done in a moment, but by a disk that is stuck, or while it is held.
void UpstreamHealth::ReportEnding(SecondaryState state, const UpstreamConnection& upstream) {
  if (state != SecondaryState::kConnecting && state != SecondaryState::kFollowing) return;
  if (paused_ || (problem_.raised() && !late_) || runtime_.Now() - upstream.heard() < kLongEnding) return;
  SetLateness(Unfinished(upstream_));
}

void UpstreamHealth::SetLateness(const std::optional<Lateness>& lateness) {
  if (lateness) problem_.Raise(lateness->message, lateness->remedy);
  if (std::exchange(late_, lateness.has_value()) && !lateness) problem_.Clear();
}

bool UpstreamHealth::Healthy(SecondaryState state, const UpstreamConnection* upstream,
                             const filestorage::Boundary& committed) const {
  if (!connected_ || (problem_.raised() && !late_) || state != SecondaryState::kFollowing) return false;
  return KeepsUp(primary_view(upstream, committed));
}

bool UpstreamHealth::KeepsUp(const std::optional<PrimaryView>& primary) const {
  return primary && primary->seconds_ahead <= absl::ToDoubleSeconds(options_.max_lag);
}

std::optional<PrimaryView> UpstreamHealth::primary_view(const UpstreamConnection* upstream,
                                                        const filestorage::Boundary& committed) const {
  const replication::FollowerSession* session = upstream != nullptr ? &upstream->session() : nullptr;
  return ViewOfPrimary({lag_, session, committed, last_current_}, runtime_.Now());
}

void UpstreamHealth::FillStatus(v1::Upstream& status) const {
  status.set_address(upstream_);
  status.set_connected(connected_);
  if (since_) status.set_since(filestorage::Rfc3339(*since_));
  if (last_error_) status.set_last_error(*last_error_);
}

}  // namespace zrs::storage
