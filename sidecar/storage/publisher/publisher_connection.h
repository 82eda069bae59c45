// One follower's stream together with the session that serves it: performs the session's effects.
#ifndef ZRS_SIDECAR_STORAGE_PUBLISHER_PUBLISHER_CONNECTION_H_
#define ZRS_SIDECAR_STORAGE_PUBLISHER_PUBLISHER_CONNECTION_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "filestorage/boundary.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/replication/publisher_session.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/storage/committed_bytes.h"
#include "sidecar/storage/publisher/position_probes.h"
#include "sidecar/transport/message_stream.h"

namespace zrs::storage {

// Everything on the strand. Kept alive by its owner until `closed` (of Start) was called, which happens exactly once,
// last.
class PublisherConnection : public std::enable_shared_from_this<PublisherConnection> {
 public:
  struct Hooks {
    std::function<void()> progressed;                 // an acknowledgement may have moved
    std::function<void(const absl::Status&)> failed;  // the file could not be read, or is unsound where committed
    // Once, when nothing more will be sent: where the follower may be.
    std::function<void(replication::KnownFollower)> last_seen;
    // How long to wait before so many bytes are read for one that inspects, or, of 0 bytes, before anything is; and
    // that they are counted.
    std::function<absl::Duration(uint64_t bytes)> inspecting;
    // As Source's TakeIdentity.
    std::function<void(const v1::Lineage&, absl::AnyInvocable<void(absl::Status)> taken)> take_identity;
  };

  // `runtime` and `bytes` outlive the connection's last I/O task (the owner stops its source after every connection).
  // `probes` outlives the connection.
  PublisherConnection(runtime::Runtime& runtime, CommittedBytes& bytes, PositionProbes& probes,
                      replication::PublisherOptions options, replication::Publication publication,
                      std::shared_ptr<transport::PublisherStream> stream, Hooks hooks);

  void Start(v1::Hello hello, std::function<void()> closed);
  void OnCommittedEnd(const filestorage::Boundary& end);
  void OnHeartbeat(const v1::Heartbeat& heartbeat);
  void End(v1::End::Reason reason, const std::string& message, const std::string& remedy);
  // Tears the stream down, for this reason; `closed` follows.
  void Cancel(const std::string& why);
  bool cancelled() const { return !cancelled_.empty(); }
  // For the log, once `closed` was called: one line.
  std::string WhyClosed() const;

  const replication::PublisherSession& session() const { return session_; }
  const std::string& peer() const { return peer_; }
  absl::Time connected_since() const { return connected_since_; }
  // What it is here for, as its hello says. Only the first is a follower.
  enum class Kind { kFollows, kLooks, kInspects };
  static Kind KindOf(const v1::Hello& hello);
  // Known once started.
  Kind kind() const { return kind_; }

 private:
  class Events;
  void Perform(replication::PublisherEffects effects);
  void Read(uint64_t offset, uint64_t size);
  void Probe(const filestorage::Boundary& boundary);
  void ProbeOld(const replication::OldPosition& position);
  void NoteLastSeen();
  void TakeDigest(uint64_t begin, uint64_t end);
  void TakeDigestNow(uint64_t begin, uint64_t end);
  void Find(uint64_t begin);
  void OfferIdentity(const v1::Lineage& lineage);
  void FindNow(uint64_t begin);
  bool waits_for_probe() const;
  void OnStreamMessage(v1::FollowerMessage message);
  void OnStreamClosed(const absl::Status& status);
  void ReportSourceError();

  runtime::Runtime& runtime_;
  CommittedBytes& bytes_;
  PositionProbes& probes_;
  replication::PublisherSession session_;
  std::shared_ptr<transport::PublisherStream> stream_;
  Hooks hooks_;
  std::function<void()> closed_hook_;
  std::string peer_;
  absl::Time connected_since_;
  std::string cancelled_;  // why; empty: it was not
  absl::Status close_status_;
  Kind kind_ = Kind::kFollows;
  bool closed_ = false;
  bool source_error_reported_ = false;
  bool last_seen_noted_ = false;
  std::unique_ptr<runtime::Timer> question_timer_;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_PUBLISHER_PUBLISHER_CONNECTION_H_
