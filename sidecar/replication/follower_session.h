// One stream from a publisher, seen from the side that keeps the copy: a state machine without I/O, threads or clock.
#ifndef ZRS_SIDECAR_REPLICATION_FOLLOWER_SESSION_H_
#define ZRS_SIDECAR_REPLICATION_FOLLOWER_SESSION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "filestorage/boundary.h"
#include "filestorage/digest.h"
#include "filestorage/format.h"
#include "filestorage/scanner.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/replication/copy.h"
#include "sidecar/replication/limits.h"
#include "sidecar/replication/transaction_trail.h"
#include "sidecar/replication/write_queue.h"

namespace zrs::replication {

struct FollowerOptions {
  std::string storage;        // name to ask for; empty: the only one there is
  std::string follower_name;  // of the follower's own storage
  std::string node_id;        // 16 random bytes
  std::string copy_id;        // 16 bytes, as Hello's; empty: not known
  std::string software;
  uint64_t queue_limit = 4 << 20;           // received bytes that wait to be written: past it nothing more is received
  uint64_t group_limit = 32 << 20;          // a group is committed when it has so many bytes, though more has arrived
  uint64_t largest_batch = 1 << 20;         // a batch with more data is a protocol error
  uint64_t tell_after = kMostOnTheWay / 4;  // the publisher is told of so many received bytes, durable or not
};

// What the owner is to do, in the order given.

// Answered by OnSent.
struct SendToPublisher {
  v1::FollowerMessage message;
};
// Answered by OnMessage.
struct ReceiveFromPublisher {};
// First copy: make identity durable in the state file, then create the file with its magic. Answered by OnCreated.
struct CreateCopy {
  v1::Lineage lineage;
  filestorage::Magic magic = filestorage::Magic::kFs30;
  std::optional<uint32_t> file_mode;  // permission bits of the publisher's file, of 0777, where they are known
};
// The publisher's file goes on from the live one in a later epoch than the copy was in: make that durable, so that no
// byte of a later epoch is ever told to be of an earlier one. Answered by OnCreated.
struct AdoptLineage {
  v1::Lineage lineage;
};
// Another file is to take the live one's place, and is built beside it: make it durable that it is of `lineage`; then
// have its first `start` bytes there, `start` being either the part that Copy told of or the magic alone of a new file
// (in place of any earlier part). Answered by OnCreated. WriteGroups are for that file from here until OnSwapped.
struct PrepareRebuild {
  v1::Lineage lineage;
  filestorage::Magic magic = filestorage::Magic::kFs30;
  filestorage::Boundary start;
  uint64_t size = 0;  // bytes of the file, as far as known: there has to be room for them
};
// Take the digest of the first `end` bytes of the file beside, and prove that it is a pack of the live one. Answered by
// OnRebuildProved; writes may go on meanwhile.
struct ProveRebuild {
  filestorage::Boundary end;
};
// The file beside is what it should be, and committed up to `end`: it takes the live one's place. Answered by
// OnSwapped.
struct SwapCopy {
  filestorage::Boundary end;
};
// The stream is over. Nothing follows. The owner cuts the uncommitted tail once the Write under way is answered.
struct ClosePublisher {};
// A WriteGroup is answered by OnWritten.
using FollowerEffect = std::variant<SendToPublisher, ReceiveFromPublisher, CreateCopy, AdoptLineage, PrepareRebuild,
                                    WriteGroup, ProveRebuild, SwapCopy, ClosePublisher>;
using FollowerEffects = std::vector<FollowerEffect>;

// What ProveRebuild is answered with.
struct RebuildProof {
  filestorage::Digest digest;
  // Why the new file is no pack of the live one; empty when it is one.
  std::string objection;
};

// Why a stream ended, when it was not the network.
struct FollowerEnd {
  v1::End::Reason reason = v1::End::REASON_UNSPECIFIED;
  std::string message;
  std::string remedy;
  bool by_publisher = false;  // the publisher said so; else it was decided here
  uint64_t generation = 0;    // as End's, at most kMostGeneration
  bool secondary = false;     // the publisher is a secondary itself
  v1::End::TakesIdentity takes_identity = v1::End::TAKES_IDENTITY_NO;  // as the publisher says
};

// The first message of a follower that has `copy`.
v1::Hello MakeHello(const FollowerOptions& options, const Copy& copy);

// Not thread-safe: owned by its storage's strand. At most one Send, one Receive, one Write (or Create, Prepare, Swap)
// and one Prove are outstanding at a time. What it holds is bounded by queue_limit plus one batch. After ClosePublisher
// no event has effects. An event that answers nothing is the owner's bug, and asserted.
//
// Nothing is written that was not checked before: place, digest, the transaction before it, and that it is a sound
// continuation of the file.
class FollowerSession {
 public:
  FollowerSession(FollowerOptions options, Copy copy);
  FollowerSession(const FollowerSession&) = delete;
  FollowerSession& operator=(const FollowerSession&) = delete;

  // The stream is open: sends Hello. The owner has cut the file to its committed end before.
  FollowerEffects OnOpen();
  FollowerEffects OnMessage(v1::PublisherMessage message);  // moves a batch's data on
  FollowerEffects OnSent();
  FollowerEffects OnCreated(absl::Status status);  // of a copy, or of the file beside it
  FollowerEffects OnRebuildProved(absl::StatusOr<RebuildProof> proof);
  FollowerEffects OnSwapped(absl::Status status);
  // `status` of the last WriteGroup. An error ends the session (the owner decides by its code whether it heals). A
  // write that is answered after the end still moves durable().
  FollowerEffects OnWritten(absl::Status status);
  // Nothing was sent for a while: repeats the acknowledgement, so that nothing on the way forgets the connection. No
  // effects before the welcome, and while a message is being sent.
  FollowerEffects OnKeepAlive();
  // The owner stops: say so to the publisher and close.
  FollowerEffects OnStop();
  // There is another primary than the publisher's, of the same `generation`: say so to the publisher and close.
  FollowerEffects OnRival(uint64_t generation, absl::string_view message);

  enum class State { kHandshake, kCopying, kRebuilding, kStreaming, kEnded };
  // kCopying until all was durable once that the publisher had by its Welcome and its newest heartbeat. kEnded from the
  // moment that end() is there, though the publisher is still to be told.
  State state() const;
  // Of the live file; while rebuilding() of the one beside it.
  const filestorage::Boundary& durable() const { return durable_; }
  // From the welcome on until the new file is in the live one's place; stays when the stream ends before.
  bool rebuilding() const { return rebuilding_; }
  // The file beside is not what the publisher has: it is of no use.
  bool rebuild_refuted() const { return rebuild_refuted_; }
  // Past the last byte received and checked.
  uint64_t received_offset() const { return received_offset_; }
  // Where this stream began, for progress.
  uint64_t start_offset() const { return start_offset_; }
  // The publisher's lineage, once welcomed; ours before.
  const v1::Lineage& lineage() const { return copy_.lineage; }
  // Of the publisher's file, once welcomed.
  const std::optional<filestorage::Magic>& magic() const { return copy_.magic; }
  // The newest heartbeat as received (the owner notes when and relays it); absent before the first.
  const std::optional<v1::Heartbeat>& heartbeat() const { return heartbeat_; }
  // The largest committed end that Welcome or a heartbeat named; 0 before.
  uint64_t upstream_end() const { return upstream_end_; }
  // Whether the publisher said in its welcome that it is a secondary itself.
  bool upstream_is_secondary() const { return upstream_is_secondary_; }
  // Tid of the oldest transaction that has been received (its first bytes at least) and is not durable; 0: none. With
  // more than a thousand of them it may be that of an earlier one.
  filestorage::Tid oldest_not_durable() const { return trail_.OldestBefore(received_offset_); }
  const std::optional<FollowerEnd>& end() const { return end_; }
  // Bytes that wait to be given out to be written.
  uint64_t queued_bytes() const { return queue_.queued(); }

 private:
  enum class Phase { kUnopened, kHello, kCreating, kFollowing, kEnding, kClosed };

  bool over() const { return phase_ == Phase::kEnding || phase_ == Phase::kClosed; }
  void TakeMessage(v1::PublisherMessage message, FollowerEffects* effects);
  void TakeWelcome(const v1::Welcome& welcome, FollowerEffects* effects);
  void TakeBatch(v1::Batch* batch, FollowerEffects* effects);
  void TakeHeartbeat(const v1::Heartbeat& heartbeat, FollowerEffects* effects);
  void TakeRangeDigest(const v1::RangeDigest& answer, FollowerEffects* effects);
  void TakeEnd(const v1::End& end, FollowerEffects* effects);

  // Starts what can be started: an acknowledgement, a write, the next message.
  void Pump(FollowerEffects* effects);
  void PumpRebuild(FollowerEffects* effects);
  void CompareProofs(FollowerEffects* effects);
  void NoteCaughtUp();
  void SendAcknowledge(FollowerEffects* effects);
  void Send(v1::FollowerMessage message, FollowerEffects* effects);
  void Receive(FollowerEffects* effects);

  void FailProtocol(absl::string_view what, FollowerEffects* effects);
  void FailWriting(absl::string_view doing, const absl::Status& error, FollowerEffects* effects);
  // Says `end` once the stream is writable, then closes.
  void Finish(const v1::End& end, FollowerEffects* effects);
  void SendEnd(FollowerEffects* effects);
  void Close(FollowerEffects* effects);

  // Of the file beside the live one, once it was received.
  struct Proof {
    filestorage::Boundary end;
    bool requested = false;  // the publisher's digest
    std::optional<filestorage::Digest> theirs;
    std::optional<filestorage::Digest> ours;
    bool swapping = false;
  };

  FollowerOptions options_;
  Copy copy_;
  Phase phase_ = Phase::kUnopened;
  bool sending_ = false;
  bool receiving_ = false;
  bool acknowledge_due_ = false;
  bool end_sent_ = false;

  TransactionTrail trail_;
  std::optional<filestorage::Scanner> scanner_;  // once welcomed
  WriteQueue queue_;

  filestorage::Boundary durable_;
  uint64_t received_offset_ = 0;
  uint64_t told_offset_ = 0;  // of what was received, the publisher knows
  uint64_t start_offset_ = 0;
  bool caught_up_ = false;
  bool adopting_ = false;  // the later epochs that the publisher told of
  bool rebuilding_ = false;
  bool rebuild_refuted_ = false;
  std::optional<Proof> proof_;
  uint64_t upstream_end_ = 0;
  bool upstream_is_secondary_ = false;
  std::optional<v1::Heartbeat> heartbeat_;
  std::optional<FollowerEnd> end_;
};

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_FOLLOWER_SESSION_H_
