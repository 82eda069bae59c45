// A gRPC server of plain services on one address, with health and reflection beside them, and a thread of its own.
#ifndef ZRS_SIDECAR_MONITORING_SERVICE_SERVER_H_
#define ZRS_SIDECAR_MONITORING_SERVICE_SERVER_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "sidecar/transport/completion_threads.h"
#include "sidecar/transport/server_port.h"
#include "sidecar/transport/service_set.h"

namespace zrs::monitoring {

class ServiceServer {
 public:
  // Who can connect where the address is a Unix socket.
  enum class Access { kThisUser, kAsUmask };

  // Listens on `address` ("host:port", "[v6]:port", "port" (all interfaces), or a path: a Unix socket; the file of one
  // that nobody answers at is taken over). Unavailable, naming the address and the cause, when it cannot be bound. With
  // kThisUser the process's umask changes for a moment.
  static absl::StatusOr<std::unique_ptr<ServiceServer>> Start(const std::string& address, Access access,
                                                              transport::ServiceSet::Services services);
  // Cancels the calls under way, waits for them, and removes a Unix socket's file.
  ~ServiceServer();
  ServiceServer(const ServiceServer&) = delete;
  ServiceServer& operator=(const ServiceServer&) = delete;

  // As grpc.health.v1 tells it; the process, service "", begins as serving. Thread-safe.
  void SetServing(const std::string& service, bool serving);

 private:
  ServiceServer(transport::ServiceSet::Services services, std::unique_ptr<transport::ServerPort> port)
      : services_(std::move(services)), port_(std::move(port)) {}

  // In the order in which they may be destroyed, from the last to the first.
  transport::ServiceSet services_;
  const std::unique_ptr<transport::ServerPort> port_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<transport::CompletionThreads> threads_;
};

}  // namespace zrs::monitoring

#endif  // ZRS_SIDECAR_MONITORING_SERVICE_SERVER_H_
