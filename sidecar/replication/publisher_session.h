// One follower's stream, seen from the side that has the file: a state machine without I/O, threads or clock.
#ifndef ZRS_SIDECAR_REPLICATION_PUBLISHER_SESSION_H_
#define ZRS_SIDECAR_REPLICATION_PUBLISHER_SESSION_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "filestorage/boundary.h"
#include "filestorage/format.h"
#include "proto/zrs/v1/replication.pb.h"

namespace zrs::replication {

// What a storage has to offer to its followers.
struct Publication {
  v1::Lineage lineage;
  filestorage::Magic magic = filestorage::Magic::kFs30;
  filestorage::Boundary end;  // committed and durable here
};

struct PublisherOptions {
  uint64_t batch_size = 256 << 10;    // most bytes of a batch's data
  uint32_t read_ahead = 2;            // batches read from the file before the stream takes them
};

// What the owner is to do, in the order given. Each Read, Probe, Send and Receive is answered by one event.
struct SendToFollower { v1::PublisherMessage message; };                    // answered by OnSent
struct ReceiveFromFollower {};                                              // answered by OnMessage
struct ReadBytes { uint64_t offset = 0; uint64_t size = 0; };               // answered by OnBytes
struct ProbeBoundary { filestorage::Boundary boundary; };                   // answered by OnProbed
struct CloseFollower {};                                                    // after what was sent; nothing follows
using PublisherEffect = std::variant<SendToFollower, ReceiveFromFollower, ReadBytes, ProbeBoundary, CloseFollower>;
using PublisherEffects = std::vector<PublisherEffect>;

// Not thread-safe: owned by its storage's strand. At most one Send and one Receive are outstanding at a time, and at
// most `read_ahead` Reads; so its memory is bounded by read_ahead * batch_size. After CloseFollower events are ignored.
class PublisherSession {
 public:
  PublisherSession(PublisherOptions options, Publication publication);

  // The first event. `message` was received by whoever found the storage by its name.
  PublisherEffects OnMessage(const v1::FollowerMessage& message);
  PublisherEffects OnSent();
  // The bytes asked for by ReadBytes, as many as asked, or the error of reading.
  PublisherEffects OnBytes(uint64_t offset, absl::StatusOr<std::string> bytes);
  // Whether the file has exactly this boundary.
  PublisherEffects OnProbed(absl::StatusOr<bool> matches);
  // The committed end moved.
  PublisherEffects OnCommittedEnd(const filestorage::Boundary& end);
  // A heartbeat to pass on, made here (primary) or received (secondary). Only the newest is kept while the stream is
  // not writable.
  PublisherEffects OnHeartbeat(const v1::Heartbeat& heartbeat);
  // The storage stops serving: say so and close.
  PublisherEffects OnEnd(v1::End::Reason reason, const std::string& message, const std::string& remedy);

  enum class State { kHandshake, kCopying, kStreaming, kEnding };
  // kCopying until the committed end at the handshake was sent.
  State state() const;
  uint64_t sent_offset() const;          // handed to the stream; 0 before the handshake
  uint64_t acknowledged_offset() const;  // durable at the follower; its position before its first acknowledgement
  filestorage::Tid acknowledged_tid() const;
  // Tid of the first transaction that was sent and is not acknowledged as durable; 0 when there is none.
  filestorage::Tid oldest_unacknowledged() const;
  const std::string& node_id() const;
};

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_PUBLISHER_SESSION_H_
