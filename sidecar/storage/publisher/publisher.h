// A storage's followers: accepts their streams, tells them all of a new committed end, and knows who has what.
#ifndef ZRS_SIDECAR_STORAGE_PUBLISHER_PUBLISHER_H_
#define ZRS_SIDECAR_STORAGE_PUBLISHER_PUBLISHER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "filestorage/boundary.h"
#include "proto/zrs/v1/admin.pb.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/replication/publisher_session.h"
#include "sidecar/runtime/byte_rate.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/storage/committed_bytes.h"
#include "sidecar/storage/publisher/follower_log.h"
#include "sidecar/storage/publisher/position_probes.h"
#include "sidecar/storage/publisher/publisher_connection.h"
#include "sidecar/storage/source.h"
#include "sidecar/transport/message_stream.h"

namespace zrs::storage {

// Everything on the strand. No follower slows another: each has its own session, stream and reads.
class Publisher {
 public:
  struct Standing {
    bool secondary = false;
    bool unheard = false;     // as Publication's
    bool yields = false;      // as Publication's
    bool incomplete = false;  // as Publication's
    v1::End::TakesIdentity takes_identity = v1::End::TAKES_IDENTITY_NO;
  };
  struct Hooks {
    std::function<void()> progressed;                 // an acknowledgement moved, or a follower came or went
    std::function<void(const absl::Status&)> failed;  // the file could not be read, or is unsound where committed
    // A follower was turned away for want of room; why, and what to do.
    std::function<void(const std::string& message, const std::string& remedy)> refused;
    std::function<void(replication::KnownFollower)> last_seen;  // as PublisherConnection's
    // A follower knows of another primary: what a primary told it when it was refused for that, or what it has told.
    std::function<void(const v1::End&)> rival;
    std::function<Standing()> standing;  // what this storage is now, for who connects; null: a primary
    // As PublisherConnection's.
    std::function<void(const v1::Lineage&, absl::AnyInvocable<void(absl::Status)>)> take_identity;
  };
  // At most `inspect_rate` bytes per second are read for those who inspect (0: as many as they ask for), and there are
  // at most kMostInspecting of them. As many again are read to look for the positions that hellos name
  // (PositionProbes). References outlive the publisher.
  Publisher(std::string storage_name, uint32_t max_followers, uint64_t inspect_rate, runtime::Runtime& runtime,
            CommittedBytes& bytes, Hooks hooks);
  static constexpr uint32_t kMostInspecting = 4;

  // Whether there is something to serve. With nothing, or while `refusal` is set, new followers get an End.
  void Open(replication::Publication publication);
  // Ends every stream for this reason, and refuses new ones with it until Open.
  void Refuse(v1::End refusal);

  void Accept(std::shared_ptr<transport::PublisherStream> stream, v1::Hello hello);
  void OnCommittedEnd(const filestorage::Boundary& end);
  // Passes a heartbeat on. The last one is given, aged, to each follower that comes later; and by a secondary to all of
  // them again, while it hears no other.
  void OnHeartbeat(const v1::Heartbeat& heartbeat);

  // Gives followers up to `timeout` to acknowledge the committed end, then ends every stream; `done` when all are gone.
  // Called again it shortens the time.
  void Drain(absl::Duration timeout, absl::AnyInvocable<void()> done);

  const std::optional<replication::Publication>& publication() const { return publication_; }
  // Followers past their handshake, and those of them that have acknowledged `offset` as durable. Streams of one copy,
  // as after a crash of its host that was not noticed yet, are one follower.
  uint32_t followers() const;
  uint32_t followers_at(uint64_t offset) const;
  // How much longer those are to be expected back who were connected when there was nothing to serve any more (a pack,
  // most often), since they come at once: not at all in what is not published, and once one is there.
  absl::Duration expects_followers() const;
  // Those that have not, for people: "PEER at offset N".
  std::vector<std::string> followers_behind(uint64_t offset) const;
  // `primary`: as the storage's source sees it. Lags are told against it.
  void FillStatus(const std::optional<PrimaryView>& primary, v1::StorageStatus& status) const;

 private:
  uint32_t CountFollowers(uint64_t acknowledged) const;
  void CancelOthersOf(const v1::Hello& hello);
  // Why there is no room for one more of its kind; nothing where there is.
  std::optional<v1::End> CheckRoom(const v1::Hello& hello);
  // The end, marked as a secondary's where that is what this storage is.
  v1::End Marked(v1::End end) const;
  void EndAll(const v1::End& end);
  // What a follower that is gone knew of another primary: shown to a primary by its hello, or told.
  std::optional<v1::End> RivalToldOf(const PublisherConnection& closed) const;
  // The last heartbeat, as old as it is by now.
  v1::Heartbeat AgedHeartbeat() const;
  // So that a secondary's followers can tell one whose primary is silent from a connection that carries nothing.
  void ScheduleRepeat();
  void OnProgress();
  void OnClosed(const PublisherConnection* connection);
  void FinishDrainIfPossible();

  const std::string storage_name_;
  const uint32_t max_followers_;
  runtime::Runtime& runtime_;
  CommittedBytes& bytes_;
  const Hooks hooks_;
  std::optional<replication::Publication> publication_;
  std::optional<v1::End> refusal_;
  std::optional<v1::Heartbeat> heartbeat_;
  absl::Duration heartbeat_received_;
  std::unique_ptr<runtime::Timer> repeat_;  // of the heartbeat
  bool had_followers_ = false;              // when it was last refused
  std::optional<absl::Duration> reopened_;  // where it had
  std::vector<std::shared_ptr<PublisherConnection>> connections_;
  runtime::ByteRate inspect_rate_;
  const std::shared_ptr<PositionProbes> probes_;
  FollowerLog log_;

  absl::AnyInvocable<void()> drained_;
  bool draining_ = false;
  bool ending_ = false;  // draining, and the streams have been told to end
  std::unique_ptr<runtime::Timer> drain_timer_;
  std::unique_ptr<runtime::Timer> cancel_timer_;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_PUBLISHER_PUBLISHER_H_
