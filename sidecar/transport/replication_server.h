// Listens for followers on one address and hands each, with its first message, to the storage it asks for.
#ifndef ZRS_SIDECAR_TRANSPORT_REPLICATION_SERVER_H_
#define ZRS_SIDECAR_TRANSPORT_REPLICATION_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/transport/message_stream.h"

namespace zrs::transport {

// A stream whose Hello has been received. The taker calls Start on it; its events begin with OnOpen.
using AcceptStream = std::function<void(std::shared_ptr<PublisherStream> stream, v1::Hello hello)>;
// The storage of that name ("" : the only one), or why there is none (NotFound with a message listing the names).
// Thread-safe.
using FindStorage = std::function<absl::StatusOr<AcceptStream>(const std::string& name)>;

struct ServerOptions {
  std::string address;    // "host:port", "[v6]:port", "port" (all interfaces), or a path (Unix socket)
  bool insecure = false;  // answer peers other than loopback and Unix sockets without TLS (said so in the configuration)
};

class ReplicationServer {
 public:
  virtual ~ReplicationServer() = default;  // Shutdown, then waits until every stream is gone
  // Health of one service ("" : the process) as grpc.health.v1 tells it.
  virtual void SetServing(const std::string& service, bool serving) = 0;
  // Refuses new streams and gives the present ones until `deadline` to close by themselves. Idempotent.
  virtual void Shutdown(absl::Time deadline) = 0;
  // The port that was bound (useful with port 0); 0 for a Unix socket.
  virtual int port() const = 0;
};

// Binds and serves. Unavailable, naming the address and the cause, when it cannot be bound. A peer that protected mode
// refuses gets End REASON_REFUSED with the remedies in words, then PERMISSION_DENIED.
absl::StatusOr<std::unique_ptr<ReplicationServer>> StartReplicationServer(const ServerOptions& options,
                                                                          FindStorage find_storage);

// Whether a peer as gRPC prints it ("ipv4:127.0.0.1:1", "ipv6:%5B::1%5D:1", v4-mapped, "unix:...") is on this host's
// loopback or a Unix socket. Anything not understood is not.
bool IsLocalPeer(const std::string& peer);

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_REPLICATION_SERVER_H_
