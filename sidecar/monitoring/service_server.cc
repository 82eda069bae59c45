#include "sidecar/monitoring/service_server.h"

#include <sys/stat.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace zrs::monitoring {
namespace {

// What is asked here blocks nowhere.
constexpr int kThreads = 1;

// Whoever may use the admin socket is to get an answer also when others have taken all descriptors that they can have.
transport::Reserve ReserveFor(ServiceServer::Access access) {
  return access == ServiceServer::Access::kThisUser ? transport::Reserve::kHalf : transport::Reserve::kWhole;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServiceServer>> ServiceServer::Start(const std::string& address, Access access,
                                                                    transport::ServiceSet::Services services) {
  const bool narrow = access == Access::kThisUser;
  // A Unix socket appears with the permissions that the umask leaves: none for others from the first moment.
  const mode_t before = narrow ? umask(0077) : 0;
  absl::StatusOr<std::unique_ptr<transport::ServerPort>> port =
      transport::ServerPort::Open({.address = address, .reserve = ReserveFor(access)});
  if (narrow) umask(before);
  if (!port.ok()) return port.status();
  std::unique_ptr<ServiceServer> server(new ServiceServer(std::move(services), *std::move(port)));
  grpc::ServerBuilder builder;
  server->port_->AddTo(builder);
  server->services_.RegisterWith(builder);
  std::unique_ptr<grpc::ServerCompletionQueue> added = builder.AddCompletionQueue();
  grpc::ServerCompletionQueue* const queue = added.get();
  server->server_ = builder.BuildAndStart();
  server->threads_ = std::make_unique<transport::CompletionThreads>(std::move(added), kThreads);
  if (server->server_ == nullptr) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address, ": gRPC could not start"));
  }
  server->services_.Serve(queue);
  server->port_->Start();
  return server;
}

ServiceServer::~ServiceServer() {
  if (server_ == nullptr) return;
  services_.health().StopServing();
  port_->Stop();
  server_->Shutdown(gpr_inf_past(GPR_CLOCK_MONOTONIC));
  services_.WaitForEnd();
}

void ServiceServer::SetServing(const std::string& service, bool serving) {
  services_.health().SetServing(service, serving);
}

}  // namespace zrs::monitoring
