#include "sidecar/transport/server_port.h"

#include <utility>

#include "grpcpp/security/server_credentials.h"

namespace zrs::transport {

absl::StatusOr<std::unique_ptr<ServerPort>> ServerPort::Open(const std::string& address, Reserve reserve) {
  absl::StatusOr<ListenSockets> sockets = Listen(address);
  if (!sockets.ok()) return sockets.status();
  return std::unique_ptr<ServerPort>(new ServerPort(address, reserve, *std::move(sockets)));
}

ServerPort::ServerPort(std::string address, Reserve reserve, ListenSockets sockets)
    : address_(std::move(address)), reserve_(reserve), sockets_(std::move(sockets)) {}

void ServerPort::AddTo(grpc::ServerBuilder& builder) {
  using Experimental = grpc::ServerBuilder::experimental_type;
  server_ = builder.experimental().AddExternalConnectionAcceptor(Experimental::ExternalConnectionType::FROM_FD,
                                                                 grpc::InsecureServerCredentials());
}

void ServerPort::Start() {
  acceptor_ = std::make_unique<Acceptor>(AcceptorOptions{.address = address_, .reserve = reserve_},
                                         std::move(sockets_.sockets), [this](int fd) { HandOver(fd); });
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
