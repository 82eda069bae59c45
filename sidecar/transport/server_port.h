// One address that a gRPC server serves.
#ifndef ZRS_SIDECAR_TRANSPORT_SERVER_PORT_H_
#define ZRS_SIDECAR_TRANSPORT_SERVER_PORT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/server_builder.h"
#include "sidecar/transport/acceptor.h"
#include "sidecar/transport/listen_socket.h"

namespace zrs::transport {

// From one thread. Outlives the server.
class ServerPort {
 public:
  // Listens, as Listen() says; who connects waits until Start.
  static absl::StatusOr<std::unique_ptr<ServerPort>> Open(AcceptorOptions options);

  // Before the server is built.
  void AddTo(grpc::ServerBuilder& builder);
  // When the server runs: its clients are accepted.
  void Start();
  // Before the server's shutdown: no more are, and a Unix socket's file is removed. Without effect the second time.
  void Stop();
  // As ListenSockets has it.
  int port() const { return sockets_.port; }

 private:
  ServerPort(AcceptorOptions options, ListenSockets sockets);
  void HandOver(int fd);

  const AcceptorOptions options_;
  ListenSockets sockets_;  // the acceptor's once it is started
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> server_;
  std::unique_ptr<Acceptor> acceptor_;
};

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_SERVER_PORT_H_
