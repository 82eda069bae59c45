// Listens for followers on one address and hands each, with its first message, to the storage it asks for.
#ifndef ZRS_SIDECAR_TRANSPORT_REPLICATION_SERVER_H_
#define ZRS_SIDECAR_TRANSPORT_REPLICATION_SERVER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/transport/message_stream.h"
#include "sidecar/transport/peer_address.h"

namespace zrs::transport {

// A stream whose Hello has been received. The taker calls Start on it, from any thread and at any time; its events
// begin with OnOpen. Called on a transport thread: it only posts.
using AcceptStream = std::function<void(std::shared_ptr<PublisherStream> stream, v1::Hello hello)>;
// The storage that a hello asks for, by its `storage` and `follower_name`, or why there is none: NotFound with a
// message listing the names, which the follower is told as REASON_NO_SUCH_STORAGE; any other error is told as
// REASON_NOT_READY. Thread-safe; does not block.
using FindStorage = std::function<absl::StatusOr<AcceptStream>(const v1::Hello& hello)>;

struct ServerOptions {
  std::string address;  // "host:port", "[v6]:port", "port" (all interfaces), or a path (Unix socket)
  bool insecure =
      false;  // answer peers other than loopback and Unix sockets without TLS (said so in the configuration)
  absl::Duration hello_timeout = absl::Seconds(10);  // for a stream's first message
  absl::Duration close_timeout = kCloseTimeout;      // from a stream's Close until it is torn down
  size_t max_streams = 1000;                         // of all storages, greeted or not; more are refused
  int threads = 1;                                   // that the streams' events are called on
  std::function<bool(const std::string& peer)> is_local = IsLocalPeer;  // whom protected mode lets in
  // Told of each peer that protected mode, or max_streams, turns away, on a transport thread: what the peer is told.
  // And now and then while connections are turned away because descriptors are short.
  std::function<void(const std::string& message, const std::string& remedy)> on_refused = nullptr;
};

class ReplicationServer {
 public:
  // Shutdown, and at once; then waits until every stream has called OnClosed. Not from within an event. A Unix socket's
  // file is removed.
  virtual ~ReplicationServer() = default;
  // Health of one service ("" : the process, which begins as serving) as grpc.health.v1 tells it, to anybody who can
  // reach the address. Without effect after Shutdown.
  virtual void SetServing(const std::string& service, bool serving) = 0;
  // Refuses new streams, tells all services' health as not serving, and gives the present streams `grace` to close by
  // themselves before they are torn down. Returns at once. A second call can only bring that moment forward.
  virtual void Shutdown(absl::Duration grace) = 0;
  // The port that was bound (useful with port 0); 0 for a Unix socket.
  virtual int port() const = 0;
};

// Binds and serves. Unavailable, naming the address and the cause, when it cannot be bound; InvalidArgument when the
// address is none. The file of a Unix socket that nobody answers at is taken over. A peer that protected mode refuses
// gets End REASON_REFUSED with the remedies in words, then PERMISSION_DENIED.
absl::StatusOr<std::unique_ptr<ReplicationServer>> StartReplicationServer(const ServerOptions& options,
                                                                          FindStorage find_storage);

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_REPLICATION_SERVER_H_
