// One follower's stream, seen from the side that has the file: a state machine without I/O, threads or clock.
#ifndef ZRS_SIDECAR_REPLICATION_PUBLISHER_SESSION_H_
#define ZRS_SIDECAR_REPLICATION_PUBLISHER_SESSION_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "filestorage/boundary.h"
#include "filestorage/format.h"
#include "filestorage/scanner.h"
#include "filestorage/transaction_probe.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/replication/handshake.h"
#include "sidecar/replication/known_followers.h"
#include "sidecar/replication/limits.h"
#include "sidecar/replication/publication.h"
#include "sidecar/replication/range_chain.h"
#include "sidecar/replication/sent_positions.h"
#include "sidecar/replication/transaction_trail.h"

namespace zrs::replication {

struct PublisherOptions {
  uint64_t batch_size = 512 << 10;           // most bytes of a batch's data; at least 1
  uint32_t read_ahead = 2;                   // batches read from the file before the stream takes them; at least 1
  uint64_t most_on_the_way = kMostOnTheWay;  // a batch is sent if it begins less than this past what was taken
};

// What the owner is to do, in the order given. Each Read, Probe, Send and Receive is answered by one event.

// Answered by OnSent.
struct SendToFollower {
  v1::PublisherMessage message;
};
// Answered by OnMessage.
struct ReceiveFromFollower {};
// Answered by OnBytes.
struct ReadBytes {
  uint64_t offset = 0;
  uint64_t size = 0;
};
// Answered by OnProbed.
struct ProbeBoundary {
  filestorage::Boundary boundary;
};
// Whether the file that this position is in had it. Answered by OnOldProbed.
struct ProbeOldPosition {
  OldPosition position;
};
// Of the committed bytes from `begin` to `end`. Answered by OnDigested.
struct DigestBytes {
  uint64_t begin = 0;
  uint64_t end = 0;
};
// The committed transaction that begins there. Answered by OnFound.
struct FindTransaction {
  uint64_t begin = 0;
};
// The publication takes this lineage, of whose file it has all; then every stream ends. Answered by OnIdentityTaken.
struct TakeIdentity {
  v1::Lineage lineage;
};
// The stream is over; everything was sent. Nothing follows.
struct CloseFollower {};
using PublisherEffect = std::variant<SendToFollower, ReceiveFromFollower, ReadBytes, ProbeBoundary, ProbeOldPosition,
                                     DigestBytes, FindTransaction, TakeIdentity, CloseFollower>;
using PublisherEffects = std::vector<PublisherEffect>;

// Not thread-safe: owned by its storage's strand. At most one Send and one Receive are outstanding at a time, and at
// most `read_ahead` Reads; so its memory is bounded by read_ahead * batch_size. After CloseFollower events are ignored.
// An event that answers nothing is the owner's bug, and asserted.
//
// What is shipped was parsed before: bytes below the committed end that are not a sound sequence of transactions which
// ends at that boundary end the stream with REASON_SOURCE_FAILED and source_error().
class PublisherSession {
 public:
  PublisherSession(PublisherOptions options, Publication publication);
  PublisherSession(const PublisherSession&) = delete;
  PublisherSession& operator=(const PublisherSession&) = delete;

  // The first event. `message` was received by whoever found the storage by its name.
  PublisherEffects OnMessage(const v1::FollowerMessage& message);
  PublisherEffects OnSent();
  // The bytes asked for by ReadBytes, as many as asked, or the error of reading.
  PublisherEffects OnBytes(uint64_t offset, absl::StatusOr<std::string> bytes);
  // Whether the file has exactly this boundary.
  PublisherEffects OnProbed(absl::StatusOr<bool> matches);
  // Whether that file had exactly this boundary; false also where nothing can tell.
  PublisherEffects OnOldProbed(absl::StatusOr<bool> matches);
  PublisherEffects OnDigested(absl::StatusOr<filestorage::Digest> digest);
  // DataLoss: there is none that is sound; any other error is one of reading.
  PublisherEffects OnFound(absl::StatusOr<filestorage::ProbedTransaction> transaction);
  // Why it was not taken; OK where the stream is to say that it was.
  PublisherEffects OnIdentityTaken(const absl::Status& taken);
  // The committed end moved; never backwards.
  PublisherEffects OnCommittedEnd(const filestorage::Boundary& end);
  // A heartbeat to pass on, made here (primary) or received (secondary). Only the newest is kept while the stream is
  // not writable; batches go first, but one heartbeat goes after each kBatchesPerHeartbeat of them.
  PublisherEffects OnHeartbeat(const v1::Heartbeat& heartbeat);
  // The storage stops serving: say so and close. Texts are cleaned as text::Clean does.
  PublisherEffects OnEnd(v1::End::Reason reason, const std::string& message, const std::string& remedy);

  static constexpr uint32_t kBatchesPerHeartbeat = 16;

  enum class State { kHandshake, kCopying, kRebuilding, kStreaming, kInspecting, kEnding };
  // kInspecting: it asks about the file, and is no follower. kCopying until the committed end at the handshake was
  // sent; kRebuilding until the follower has acknowledged that the new file is in the old one's place. kEnding stays.
  State state() const;
  // Handed to the stream; 0 before the handshake.
  uint64_t sent_offset() const { return sent_offset_; }
  // Durable at the follower; its position before its first acknowledgement.
  uint64_t acknowledged_offset() const { return acknowledged_offset_; }
  // Tid of the first transaction that was sent (a piece of it at least) and is not acknowledged as durable; 0 when
  // there is none. With more than a thousand on their way it may be that of an earlier one.
  filestorage::Tid oldest_unacknowledged() const { return trail_.OldestBefore(sent_offset_); }
  // Who asked only looks: it gets its answer and no bytes, and is no follower.
  bool looks() const { return looks_; }
  // The follower's, 16 bytes; empty before a well-formed hello.
  const std::string& node_id() const { return node_id_; }
  // As Hello's; empty where it is not known.
  const std::string& copy_id() const { return copy_id_; }
  // What the follower's file may end at from now on, should it go; nothing where its position was not proved.
  std::optional<KnownFollower> last_seen() const;
  // Why the file could not be read, or is not sound; OK otherwise.
  const absl::Status& source_error() const { return source_error_; }
  // What this side ended the stream with (a refusal, for one), or the follower; at most one is there.
  const std::optional<v1::End>& own_end() const { return own_end_; }
  const std::optional<v1::End>& follower_end() const { return follower_end_; }

 private:
  enum class Phase { kHello, kProbingOld, kProbing, kServing, kInspecting, kEnding, kClosed };
  // A read under way or, with bytes, answered before an earlier one was.
  struct Read {
    uint64_t offset = 0;
    uint64_t size = 0;
    std::optional<std::string> bytes;
  };

  bool over() const { return phase_ == Phase::kEnding || phase_ == Phase::kClosed; }
  void TakeHello(const v1::FollowerMessage& message, PublisherEffects* effects);
  void TakeMessage(const v1::FollowerMessage& message, PublisherEffects* effects);
  void TakeAcknowledge(const v1::Acknowledge& acknowledge, PublisherEffects* effects);
  void TakeDigestRequest(const v1::DigestRequest& request, PublisherEffects* effects);
  void BeginInspection(PublisherEffects* effects);
  void TakeQuestion(const v1::FollowerMessage& message, PublisherEffects* effects);
  void TakeTransactionRequest(const v1::TransactionRequest& request, PublisherEffects* effects);
  void TakeVouch(const v1::Vouch& vouch, PublisherEffects* effects);
  absl::Status CheckVouch(const v1::Vouch& vouch) const;
  void RefuseIdentity(const absl::Status& why, PublisherEffects* effects);
  // While a question is being answered there is no other.
  bool answering() const { return digesting_ || finding_ || answer_; }
  void BeginRebuild(PublisherEffects* effects);
  void FailProbing(const filestorage::Boundary& boundary, const absl::Status& error, PublisherEffects* effects);
  void Welcome(v1::Welcome::Decision decision, const filestorage::Boundary& start, PublisherEffects* effects);
  void FillWelcome(v1::Welcome::Decision decision, const filestorage::Boundary& start, v1::Welcome* welcome) const;

  // Starts what can be started: reads, then a message.
  void Pump(PublisherEffects* effects);
  void StartReads(PublisherEffects* effects);
  void SendNext(PublisherEffects* effects);
  void Send(v1::PublisherMessage message, PublisherEffects* effects);

  // Parses `bytes` and makes them the next batch. The error of a source that is not sound.
  absl::Status MakeBatch(uint64_t offset, std::string bytes);
  absl::Status CheckScanned(const filestorage::ScanResult& result) const;

  void FailProtocol(absl::string_view what, PublisherEffects* effects);
  void FailSource(absl::Status error, PublisherEffects* effects);
  // Says `end` once the stream is writable, then closes.
  void Finish(v1::End end, PublisherEffects* effects);
  void SendEnd(PublisherEffects* effects);
  void Close(PublisherEffects* effects);
  void DropWork();

  // A message with bytes, and where the whole transactions end once it is taken.
  struct ReadyBatch {
    v1::PublisherMessage message;
    filestorage::Boundary end;
  };

  PublisherOptions options_;
  Publication publication_;
  Phase phase_ = Phase::kHello;
  bool looks_ = false;
  std::string node_id_;
  std::string copy_id_;
  filestorage::Boundary probed_;
  std::optional<DecideRebuild> rebuild_;        // the follower builds our file anew
  std::optional<v1::DigestRequest> digesting_;  // under way
  uint64_t digested_ = 0;                       // bytes, for a follower that builds our file anew
  std::optional<uint64_t> finding_;             // the same: where the transaction begins
  std::optional<v1::PublisherMessage> answer_;  // to be sent
  RangeChain inspected_;                        // what was asked about by one that inspects
  std::optional<v1::Lineage> vouched_;          // what our file is, as one that has compared all of its own says

  TransactionTrail trail_;
  std::optional<filestorage::Scanner> scanner_;  // once welcomed
  uint64_t read_offset_ = 0;                     // where the next ReadBytes begins
  std::deque<Read> reads_;
  std::deque<ReadyBatch> batches_;          // to be sent
  SentPositions positions_;                 // in the present epoch
  std::optional<v1::Heartbeat> heartbeat_;  // to be sent
  uint32_t batches_since_heartbeat_ = 0;
  bool sending_ = false;
  bool receiving_ = true;  // the hello is the answer to nobody's Receive
  bool end_sent_ = false;

  uint64_t welcome_end_ = 0;  // the committed end at the handshake
  uint64_t sent_offset_ = 0;
  uint64_t received_offset_ = 0;  // by the follower, as it says
  uint64_t acknowledged_offset_ = 0;
  absl::Status source_error_;
  std::optional<v1::End> own_end_;
  std::optional<v1::End> follower_end_;
};

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_PUBLISHER_SESSION_H_
