#include "sidecar/storage/secondary/upstream_lag.h"

#include <algorithm>

#include "sidecar/storage/status_text.h"

namespace zrs::storage {
namespace {

constexpr absl::Duration kLeastFresh = absl::Seconds(3);

}  // namespace

void UpstreamLag::OnHeartbeat(const v1::Heartbeat& heartbeat, uint64_t durable, absl::Duration now) {
  heartbeat_ = heartbeat;
  received_ = now;
  lost_end_ = 0;
  // A primary that took the place of another may have less than was heard of that one.
  if (behind_ && std::min(behind_->end, heartbeat.committed_end()) <= durable) behind_.reset();
  if (!behind_ && heartbeat.committed_end() > durable) {
    behind_ = Behind{absl::FromUnixMicros(heartbeat.primary_time_micros()), heartbeat.committed_end()};
  }
}

void UpstreamLag::OnStreamLost(uint64_t end, filestorage::Tid oldest, uint64_t durable, absl::Duration now) {
  if (const auto age = Seconds(durable, end, oldest, now); age && end > durable) {
    behind_ = Behind{PrimaryNow(now) - absl::Seconds(*age), end};
  }
  lost_end_ = end;
}

uint64_t UpstreamLag::KnownEnd(uint64_t known_end) const {
  return std::max({heartbeat_->committed_end(), known_end, lost_end_});
}

absl::Duration UpstreamLag::FreshTime() const {
  return heartbeat_ ? std::max(kLeastFresh, 3 * absl::Microseconds(heartbeat_->interval_micros())) : kLeastFresh;
}

bool UpstreamLag::Fresh(absl::Duration now) const {
  if (!heartbeat_) return false;
  const absl::Duration age = now - received_ + absl::Microseconds(heartbeat_->age_micros());
  return age <= FreshTime();
}

std::optional<uint64_t> UpstreamLag::Bytes(uint64_t durable, uint64_t known_end, absl::Duration now) const {
  if (!Fresh(now)) return std::nullopt;
  const uint64_t end = KnownEnd(known_end);
  return end - std::min(end, durable);
}

std::optional<double> UpstreamLag::Seconds(uint64_t durable, uint64_t known_end, filestorage::Tid oldest,
                                           absl::Duration now) const {
  if (!Fresh(now)) return std::nullopt;
  if (oldest == 0 && KnownEnd(known_end) <= durable) return 0.0;
  if (auto age = AgeOfTransaction(oldest, PrimaryNow(now))) return age;
  const bool still_behind = behind_ && behind_->end > durable;
  const absl::Time since = still_behind ? behind_->since : absl::FromUnixMicros(heartbeat_->primary_time_micros());
  return std::max(0.0, absl::ToDoubleSeconds(PrimaryNow(now) - since));
}

absl::Time UpstreamLag::PrimaryNow(absl::Duration now) const {
  return absl::FromUnixMicros(heartbeat_->primary_time_micros()) + absl::Microseconds(heartbeat_->age_micros()) +
         (now - received_);
}

}  // namespace zrs::storage
