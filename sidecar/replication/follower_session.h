// One stream from a publisher, seen from the side that keeps the copy: a state machine without I/O, threads or clock.
#ifndef ZRS_SIDECAR_REPLICATION_FOLLOWER_SESSION_H_
#define ZRS_SIDECAR_REPLICATION_FOLLOWER_SESSION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "filestorage/boundary.h"
#include "filestorage/format.h"
#include "proto/zrs/v1/replication.pb.h"

namespace zrs::replication {

// What the follower has when a stream begins.
struct Copy {
  v1::Lineage lineage;                         // database_id empty: none adopted yet
  std::optional<filestorage::Magic> magic;     // absent: there is no file yet
  filestorage::Boundary committed;             // durable; offset 0 without a file
};

struct FollowerOptions {
  std::string storage;  // name to ask for; empty: the only one there is
  std::string node_id;  // 16 random bytes
  std::string software;
  uint64_t queue_limit = 4 << 20;       // received bytes that wait to be written: past it nothing more is received
  uint64_t group_limit = 32 << 20;      // a group is committed when it has so many bytes, though more has arrived
  uint64_t largest_batch = 1 << 20;     // a batch with more data is a protocol error
};

struct SendToPublisher { v1::FollowerMessage message; };  // answered by OnSent
struct ReceiveFromPublisher {};                           // answered by OnMessage
// First copy: make identity durable in the state file, then create the file with its magic. Answered by OnCreated.
struct CreateCopy { v1::Lineage lineage; filestorage::Magic magic = filestorage::Magic::kFs30; };
// Append the pieces in order to the uncommitted tail; then, if `commit`, make everything up to that boundary visible
// and durable, with `following` (the next group's first bytes, at most a header) as Appender::Commit takes it.
// Answered by OnWritten.
struct WriteGroup {
  std::vector<std::string> pieces;
  std::optional<filestorage::Boundary> commit;
  std::string following;
};
// The stream is over. Nothing follows. The owner cuts the uncommitted tail once the Write under way is answered.
struct ClosePublisher {};
using FollowerEffect = std::variant<SendToPublisher, ReceiveFromPublisher, CreateCopy, WriteGroup, ClosePublisher>;
using FollowerEffects = std::vector<FollowerEffect>;

// Why a stream ended, when it was not the network.
struct FollowerEnd {
  v1::End::Reason reason = v1::End::REASON_UNSPECIFIED;
  std::string message;
  std::string remedy;
};

// Not thread-safe: owned by its storage's strand. At most one Send, one Receive and one Write (or Create) are
// outstanding at a time. What it holds is bounded by queue_limit plus one batch.
class FollowerSession {
 public:
  FollowerSession(FollowerOptions options, Copy copy);

  // The stream is open: sends Hello. The owner has cut the file to its committed end before.
  FollowerEffects OnOpen();
  FollowerEffects OnMessage(v1::PublisherMessage message);  // moves a batch's data on
  FollowerEffects OnSent();
  FollowerEffects OnCreated(absl::Status status);
  // `status` of the last WriteGroup. An error ends the session (the owner decides by its code whether it heals).
  FollowerEffects OnWritten(absl::Status status);
  // The owner stops: say so to the publisher and close.
  FollowerEffects OnStop();

  enum class State { kHandshake, kCopying, kStreaming, kEnded };
  // kCopying until the committed end that Welcome named is durable.
  State state() const;
  const filestorage::Boundary& durable() const;
  uint64_t received_offset() const;  // past the last byte received and checked
  uint64_t start_offset() const;     // where this stream began, for progress
  // The publisher's lineage, once welcomed.
  const v1::Lineage& lineage() const;
  // The newest heartbeat as received (the owner notes when and relays it); absent before the first.
  const std::optional<v1::Heartbeat>& heartbeat() const;
  // The largest committed end that Welcome or a heartbeat named.
  uint64_t upstream_end() const;
  // Tid of the oldest transaction that has been received (its first bytes at least) and is not durable; 0: none.
  filestorage::Tid oldest_not_durable() const;
  const std::optional<FollowerEnd>& end() const;
};

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_FOLLOWER_SESSION_H_
