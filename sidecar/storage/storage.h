// One replicated storage put together: a source of committed bytes (a primary's tail, or the copy that a secondary
// keeps) and its publisher, which serves any number of followers from it.
#ifndef ZRS_SIDECAR_STORAGE_STORAGE_H_
#define ZRS_SIDECAR_STORAGE_STORAGE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/zrs/v1/admin.pb.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/storage/options.h"
#include "sidecar/transport/message_stream.h"

namespace zrs::storage {

// Thread-safe: every call posts to the storage's strand, and answers come on the strand.
class Storage {
 public:
  virtual ~Storage() = default;  // only after Stop's `done`, or before Start

  // Begins. `serving_changed` is called on the strand whenever the storage's health changes; it begins as not serving.
  virtual void Start(absl::AnyInvocable<void(bool)> serving_changed) = 0;

  // Publishes what is committed now, gives connected followers up to `timeout` to acknowledge it, closes every stream,
  // cuts what is not committed, writes the state, closes the file and its lock; then calls `done`. A second call with
  // a shorter timeout shortens it.
  virtual void Stop(absl::Duration timeout, absl::AnyInvocable<void()> done) = 0;

  // A follower's stream, with its first message.
  virtual void Accept(std::shared_ptr<transport::PublisherStream> stream, v1::Hello hello) = 0;

  // A follower was turned away before it could say what it wants: shown in the status for a while, as an error of
  // this storage's followers that does not touch its health.
  virtual void NoteRefusedFollower(const std::string& message, const std::string& remedy) = 0;

  virtual void GetStatus(absl::AnyInvocable<void(v1::StorageStatus)> answer) = 0;

  // Looks at the file afresh, then answers when `replicas` followers (0: all that are connected now, at least one) have
  // acknowledged what was committed then as durable, or after `timeout`.
  // Where `timeout` is infinite and none is connected it answers at once. `wanted` tells, from any thread, whether
  // anybody still listens: else the answer may never come.
  virtual void Wait(uint32_t replicas, absl::Duration timeout, std::function<bool()> wanted,
                    absl::AnyInvocable<void(v1::WaitResponse)> answer) = 0;

  // Of a secondary: OK comes when its file stays as it is, until Resume or the end of the process. FailedPrecondition,
  // naming the storage, at once from a primary, whose file is another's, and while the role is being changed.
  virtual void Pause(absl::AnyInvocable<void(absl::Status)> answer) = 0;
  virtual void Resume(absl::AnyInvocable<void(absl::Status)> answer) = 0;

  // Of a secondary: becomes a primary, as `upstream` says. `wanted` as Wait's: a promotion that is waiting for
  // something is given up when nobody listens any more.
  virtual void Promote(v1::PromoteRequest::Upstream upstream, std::function<bool()> wanted,
                       absl::AnyInvocable<void(v1::PromotedStorage)> answer) = 0;

  // Of a primary whose configuration names an upstream: becomes its secondary. An error tells why it does not; OK when
  // that is durable.
  virtual void Demote(absl::AnyInvocable<void(absl::Status)> answer) = 0;

  // Of a primary: what a person says of its file's identity, as PrimaryFile's Adopt and AdoptRestored. Answers, for a
  // person, what was done once that is durable, or why it is not done.
  virtual void Adopt(v1::AdoptRequest::As as, absl::AnyInvocable<void(absl::StatusOr<std::string>)> answer) = 0;

  // Of a secondary: as SecondarySource's. `wanted` as Wait's: nobody listens any more, and it is given up.
  virtual void Compare(uint64_t rate, std::function<bool()> wanted,
                       absl::AnyInvocable<void(v1::CompareResponse)> answer) = 0;
  virtual void Resync(bool dry_run, std::function<bool()> wanted,
                      absl::AnyInvocable<void(v1::ResyncResponse)> answer) = 0;

  virtual const std::string& name() const = 0;
};

std::unique_ptr<Storage> MakeStorage(StorageOptions options, StorageServices services);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_STORAGE_H_
