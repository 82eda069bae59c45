#include "sidecar/monitoring/service_server.h"

#include <sys/stat.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "sidecar/transport/peer_address.h"

namespace zrs::monitoring {
namespace {

// What is asked here blocks nowhere.
constexpr int kThreads = 1;

}  // namespace

absl::StatusOr<std::unique_ptr<ServiceServer>> ServiceServer::Start(const std::string& address, Access access,
                                                                    transport::ServiceSet::Services services) {
  const absl::StatusOr<std::string> target = transport::ListenTarget(address);
  if (!target.ok()) return target.status();
  if (absl::Status free = transport::CheckListenAddress(address); !free.ok()) return free;
  std::unique_ptr<ServiceServer> server(new ServiceServer(std::move(services)));
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(*target, grpc::InsecureServerCredentials());
  server->services_.RegisterWith(builder);
  std::unique_ptr<grpc::ServerCompletionQueue> added = builder.AddCompletionQueue();
  grpc::ServerCompletionQueue* const queue = added.get();
  // A Unix socket appears with the permissions that the umask leaves: none for others from the first moment.
  const bool narrow = access == Access::kThisUser;
  const mode_t before = narrow ? umask(0077) : 0;
  server->server_ = builder.BuildAndStart();
  if (narrow) umask(before);
  server->threads_ = std::make_unique<transport::CompletionThreads>(std::move(added), kThreads);
  if (server->server_ == nullptr) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address, ": gRPC could not bind it"));
  }
  server->socket_file_ = std::make_unique<transport::SocketFile>(address);
  server->services_.Serve(queue);
  return server;
}

ServiceServer::~ServiceServer() {
  if (server_ == nullptr) return;
  services_.health().StopServing();
  server_->Shutdown(gpr_inf_past(GPR_CLOCK_MONOTONIC));
  services_.WaitForEnd();
}

void ServiceServer::SetServing(const std::string& service, bool serving) {
  services_.health().SetServing(service, serving);
}

}  // namespace zrs::monitoring
