// The seam to the network: a stream of messages in both directions, and the two ways to come by one. The gRPC
// implementation is in replication_server.h and grpc_dialer.h; the simulation has its own.
#ifndef ZRS_SIDECAR_TRANSPORT_MESSAGE_STREAM_H_
#define ZRS_SIDECAR_TRANSPORT_MESSAGE_STREAM_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/zrs/v1/replication.pb.h"

namespace zrs::transport {

// What an owner gives a stream that it has closed before it cancels it: time for what is on its way, and for the peer's
// own end.
inline constexpr absl::Duration kCloseGrace = absl::Seconds(2);
// After which the transport itself tears a closed stream down, where its options do not say otherwise: for an owner
// that has let go of it.
inline constexpr absl::Duration kCloseTimeout = absl::Seconds(5);

// Called from the transport's threads, one call at a time per stream: implementations only post to their strand. The
// last call is OnClosed, exactly once, whoever closed; the stream then calls nothing more and lets go of the events.
template <typename In>
class StreamEvents {
 public:
  virtual ~StreamEvents() = default;
  virtual void OnOpen() = 0;               // the stream is established (for an accepted stream: at once, on Start)
  virtual void OnMessage(In message) = 0;  // answers Read
  virtual void OnWritten() = 0;            // answers Write: the transport takes another message
  virtual void OnClosed(absl::Status status) = 0;  // OK when the peer closed in order; else what broke
};

// Thread-safe. Dropping the last reference closes the stream.
template <typename Out, typename In>
class MessageStream {
 public:
  virtual ~MessageStream() = default;
  // Begins to deliver events. Called once. The stream keeps `events` until OnClosed.
  virtual void Start(std::shared_ptr<StreamEvents<In>> events) = 0;
  // At most one outstanding. Ignored once closed.
  virtual void Write(Out message) = 0;
  // Asks for one message; at most one outstanding. Not asking is how a receiver slows its peer.
  virtual void Read() = 0;
  // Closes after the outstanding write, if any (a client half-closes and is answered by the server's end). Where the
  // peer does not answer within kCloseTimeout the stream is torn down.
  virtual void Close() = 0;
  // Tears the stream down at once.
  virtual void Cancel() = 0;
  // For people: "ipv4:127.0.0.1:40000", "unix:".
  virtual std::string peer() const = 0;
};

using PublisherStream = MessageStream<v1::PublisherMessage, v1::FollowerMessage>;  // at a publisher
using PublisherEvents = StreamEvents<v1::FollowerMessage>;
using FollowerStream = MessageStream<v1::FollowerMessage, v1::PublisherMessage>;  // at a follower
using FollowerEvents = StreamEvents<v1::PublisherMessage>;

// Opens streams to publishers. Thread-safe.
class Dialer {
 public:
  virtual ~Dialer() = default;
  // `address`: "host:port", "[v6]:port", or a path with a slash for a Unix socket. Never blocks; a failure to connect
  // is an OnClosed without OnOpen.
  virtual std::shared_ptr<FollowerStream> Dial(const std::string& address) = 0;
};

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_MESSAGE_STREAM_H_
