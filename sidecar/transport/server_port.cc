#include "sidecar/transport/server_port.h"

#include <utility>

#include "grpcpp/security/server_credentials.h"

namespace zrs::transport {

absl::StatusOr<std::unique_ptr<ServerPort>> ServerPort::Open(AcceptorOptions options) {
  absl::StatusOr<ListenSockets> sockets = Listen(options.address);
  if (!sockets.ok()) return sockets.status();
  return std::unique_ptr<ServerPort>(new ServerPort(std::move(options), *std::move(sockets)));
}

ServerPort::ServerPort(AcceptorOptions options, ListenSockets sockets)
    : options_(std::move(options)), sockets_(std::move(sockets)) {}

void ServerPort::AddTo(grpc::ServerBuilder& builder) {
  using Experimental = grpc::ServerBuilder::experimental_type;
  server_ = builder.experimental().AddExternalConnectionAcceptor(Experimental::ExternalConnectionType::FROM_FD,
                                                                 grpc::InsecureServerCredentials());
}

void ServerPort::Start() {
  acceptor_ = std::make_unique<Acceptor>(options_, std::move(sockets_.sockets), [this](int fd) { HandOver(fd); });
}

// gRPC closes it; but not where it comes before the server's start, or after its shutdown.
void ServerPort::HandOver(int fd) {
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
  connection.fd = fd;
  server_->HandleNewConnection(&connection);
}

void ServerPort::Stop() {
  sockets_.file.reset();
  acceptor_.reset();
}

}  // namespace zrs::transport
