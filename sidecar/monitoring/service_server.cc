#include "sidecar/monitoring/service_server.h"

#include <sys/stat.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "sidecar/transport/common_services.h"
#include "sidecar/transport/peer_address.h"

namespace zrs::monitoring {

absl::StatusOr<std::unique_ptr<ServiceServer>> ServiceServer::Start(
    const std::string& address, Access access, std::vector<std::unique_ptr<grpc::Service>> services) {
  const absl::StatusOr<std::string> target = transport::ListenTarget(address);
  if (!target.ok()) return target.status();
  if (absl::Status free = transport::CheckListenAddress(address); !free.ok()) return free;
  transport::EnableCommonServices();
  std::unique_ptr<ServiceServer> server(new ServiceServer(std::move(services)));
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(*target, grpc::InsecureServerCredentials());
  for (const auto& service : server->services_) builder.RegisterService(service.get());
  // A Unix socket appears with the permissions that the umask leaves: none for others from the first moment.
  const bool narrow = access == Access::kThisUser;
  const mode_t before = narrow ? umask(0077) : 0;
  server->server_ = builder.BuildAndStart();
  if (narrow) umask(before);
  if (server->server_ == nullptr) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address, ": gRPC could not bind it"));
  }
  server->socket_file_ = std::make_unique<transport::SocketFile>(address);
  return server;
}

ServiceServer::~ServiceServer() {
  if (server_ == nullptr) return;
  server_->Shutdown(gpr_inf_past(GPR_CLOCK_MONOTONIC));
  server_->Wait();
}

void ServiceServer::SetServing(const std::string& service, bool serving) {
  if (auto* const health = server_->GetHealthCheckService()) health->SetServingStatus(service, serving);
}

}  // namespace zrs::monitoring
