// What a secondary knows of its upstream: whether it is connected, since when, what it said last and how far the copy
// is behind; and whether all that is healthy.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_HEALTH_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_HEALTH_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "filestorage/boundary.h"
#include "proto/zrs/v1/admin.pb.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/storage/options.h"
#include "sidecar/storage/problem.h"
#include "sidecar/storage/secondary/lateness.h"
#include "sidecar/storage/secondary/secondary_state.h"
#include "sidecar/storage/secondary/upstream_connection.h"
#include "sidecar/storage/secondary/upstream_lag.h"
#include "sidecar/storage/source.h"

namespace zrs::storage {

// On the strand. `upstream`, below: the present connection, null where there is none; `committed`: the live copy's end.
class UpstreamHealth {
 public:
  // All three are referred to. `problem` is the storage's: lateness is told there, while nothing else is.
  UpstreamHealth(const StorageOptions& options, runtime::Runtime& runtime, ProblemReport& problem);

  // Whom it is about from here on.
  void SetUpstream(const std::string& address) { upstream_ = address; }
  // The live copy was opened; what it may have missed is counted from here.
  void OnOpened();
  // The upstream sends, or is about to.
  void OnFollowing();
  // It has got something done: whatever the problem was, it is over.
  void OnProgress();
  // The session that followed it, if it did, is over.
  void OnDisconnected(const replication::FollowerSession& session, uint64_t committed);
  // Why it is not connected. Whether it is for the same reason as the last time.
  bool OnError(const std::string& message);
  // To be called whenever the session has changed. What is to be passed on to the copy's own followers, once for each
  // heartbeat; nothing while another file is built beside the copy.
  std::optional<v1::Heartbeat> OnHeartbeat(const replication::FollowerSession& session, uint64_t committed);
  // Another file is in the copy's place, or in the upstream's: offsets start anew, and how far the copy is behind is
  // not known.
  void OnReplaced();

  // What is heard of the primary waits behind what is held here: no silence is the primary's fault from OnPaused on
  // until it had time for a heartbeat after OnResumed.
  void OnPaused();
  void OnResumed();

  // Raises lateness as the storage's problem, or clears it. To be called now and then: it changes by time alone.
  void Report(SecondaryState state, const UpstreamConnection* upstream, const filestorage::Boundary& committed);

  bool connected() const { return connected_; }
  // Connected, at most max-lag behind, and with no other problem.
  bool Healthy(SecondaryState state, const UpstreamConnection* upstream, const filestorage::Boundary& committed) const;
  // nullopt while no heartbeat of the primary is fresh.
  std::optional<PrimaryView> primary_view(const UpstreamConnection* upstream,
                                          const filestorage::Boundary& committed) const;
  void FillStatus(v1::Upstream& status) const;

 private:
  // Nothing: it is late no more.
  void SetLateness(const std::optional<Lateness>& lateness);
  void ReportSilence(SecondaryState state, const UpstreamConnection& upstream);
  void ReportEnding(SecondaryState state, const UpstreamConnection& upstream);
  bool ReadsAlong() const;
  bool KeepsUp(const std::optional<PrimaryView>& primary) const;

  const StorageOptions& options_;
  runtime::Runtime& runtime_;
  ProblemReport& problem_;
  std::string upstream_;
  UpstreamLag lag_;
  int64_t last_heartbeat_ = -1;  // primary_time_micros of the one that was passed on
  bool connected_ = false;
  std::optional<absl::Time> since_;  // when it last connected or was lost
  std::optional<std::string> last_error_;
  bool paused_ = false;
  std::optional<absl::Duration> resumed_;  // when it was last
  bool late_ = false;                      // the problem is that the copy is behind, or may be
  absl::Duration last_current_;            // when the live copy was last known to be followed
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_HEALTH_H_
