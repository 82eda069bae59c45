// Where a storage's committed bytes come from: the primary's own file, or the copy that a secondary keeps.
#ifndef ZRS_SIDECAR_STORAGE_SOURCE_H_
#define ZRS_SIDECAR_STORAGE_SOURCE_H_

#include <cstdint>
#include <functional>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "filestorage/boundary.h"
#include "proto/zrs/v1/admin.pb.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/replication/publication.h"
#include "sidecar/storage/committed_bytes.h"

namespace zrs::storage {

// What a source tells its storage; on the strand.
struct SourceEvents {
  std::function<void(replication::Publication)> opened;        // there is something to serve
  std::function<void(const filestorage::Boundary&)> advanced;  // a new committed end, durable here
  std::function<void(const v1::Heartbeat&)> heartbeat;         // made here, or received and to be passed on
  std::function<void(const v1::End&)> withdrawn;               // nothing to serve any more, and why
  std::function<void()> changed;                               // health may have changed
};

// The primary as it is known here.
struct PrimaryView {
  absl::Time now;            // by its clock
  uint64_t bytes_ahead = 0;  // committed there and not durable here
  double seconds_ahead = 0;  // age of the oldest such commit; 0 when there is none
  // Else it is not known what is missing here; of a copy that was complete once nothing that is older than
  // `seconds_ahead`.
  bool counted = true;
};

// Everything on the strand, but for CommittedBytes' own, which run where that says.
class Source : public CommittedBytes {
 public:
  virtual void Start(SourceEvents events) = 0;
  // Takes in what can be had at once, then no more: `done` when the committed end will not move again.
  virtual void Quiesce(absl::AnyInvocable<void()> done) = 0;
  // After Quiesce: writes the state and closes the file; `done` when the I/O thread has nothing more of this source.
  virtual void Close(absl::AnyInvocable<void()> done) = 0;
  // Brings the committed end up to date with the file; `done` when that is so (a failed source answers too).
  virtual void Refresh(absl::AnyInvocable<void()> done) = 0;
  // The publisher could not read what the source said to be committed.
  virtual void OnUnreadable(const absl::Status& error) = 0;

  // A follower knows of another primary: of a later generation than this one or of the same, as this one told it, or of
  // the same, as it tells.
  virtual void OnRival(const v1::End& end) = 0;
  // For RemembersPosition, from now on and over restarts; durable soon, and before a new epoch begins.
  virtual void Remember(replication::KnownFollower follower) = 0;

  // Whether another identity is taken from a follower that proves it: of a primary.
  virtual v1::End::TakesIdentity takes_identity() const { return v1::End::TAKES_IDENTITY_NO; }
  // A follower has all of its file in this one, which that proves to be of this lineage. OK when it is, durably; then
  // it is served anew.
  virtual void TakeIdentity(const v1::Lineage&, absl::AnyInvocable<void(absl::Status)> taken) {
    taken(absl::FailedPreconditionError("it is a secondary"));
  }
  // A follower has made the present identity durable.
  virtual void OnIdentityShared() {}

  // From `held` on the file stays as it is, until Resume. Only of a secondary.
  virtual void Pause(absl::AnyInvocable<void()> held) = 0;
  virtual void Resume() = 0;

  virtual bool is_primary() const = 0;
  virtual bool serving() const = 0;
  // Of a primary: why nobody can say what is committed, since something is wrong with the file behind what is
  // published.
  virtual absl::Status end_known() const { return absl::OkStatus(); }
  // Of a secondary: whether its upstream is there, and tells of a primary that is there too.
  virtual bool hears_primary() const { return true; }
  // Of a secondary: whether it was a primary, was told to follow, and follows nobody yet.
  virtual bool yields() const { return false; }
  // Whether the file was once all that there was to have, since it was begun or cut.
  virtual bool complete() const { return true; }
  // nullopt while no heartbeat of the primary is fresh.
  virtual std::optional<PrimaryView> primary_view() const = 0;
  // All of the status but name, path, blobs and followers.
  virtual void FillStatus(v1::StorageStatus& status) const = 0;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SOURCE_H_
