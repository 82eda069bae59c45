#include "sidecar/transport/replication_server.h"

#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/transport/call_registry.h"
#include "sidecar/transport/channel_arguments.h"
#include "sidecar/transport/completion_threads.h"
#include "sidecar/transport/greeter.h"
#include "sidecar/transport/peer_address.h"
#include "sidecar/transport/server_call.h"
#include "sidecar/transport/server_port.h"
#include "sidecar/transport/service_set.h"

namespace zrs::transport {
namespace {

using replication::MakeEnd;

class GrpcServer final : public ReplicationServer {
 public:
  GrpcServer(const ServerOptions& options, FindStorage find_storage)
      : options_(options), find_storage_(std::move(find_storage)) {}
  ~GrpcServer() override;
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  absl::Status Start();
  void SetServing(const std::string& service, bool serving) override {
    services_.health().SetServing(service, serving);
  }
  void Shutdown(absl::Duration grace) override;
  int port() const override { return port_->port(); }

 private:
  void Accept(std::shared_ptr<PublisherCore> core);
  void TurnAway(PublisherCore& core, const absl::Status& status, const std::string& remedy);
  void Drain();

  const ServerOptions options_;
  const FindStorage find_storage_;
  std::atomic<bool> draining_{false};
  std::once_flag drain_once_;
  std::thread drain_;

  // In the order in which they may be destroyed, from the last to the first.
  std::unique_ptr<ServerPort> port_;
  CallRegistry registry_;
  ServerCall::Service service_;
  ServiceSet services_{{}, {v1::Replication::service_full_name()}};
  std::unique_ptr<ServerCall::Host> host_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<CompletionThreads> threads_;
};

absl::Status GrpcServer::Start() {
  absl::StatusOr<std::unique_ptr<ServerPort>> port =
      ServerPort::Open({.address = options_.address, .on_turned_away = options_.on_refused});
  if (!port.ok()) return port.status();
  port_ = *std::move(port);
  grpc::ServerBuilder builder;
  SetServerArguments(builder);
  port_->AddTo(builder);
  builder.RegisterService(&service_);
  services_.RegisterWith(builder);
  std::unique_ptr<grpc::ServerCompletionQueue> added = builder.AddCompletionQueue();
  grpc::ServerCompletionQueue* const queue = added.get();
  host_ = std::make_unique<ServerCall::Host>(
      ServerCall::Host{service_, registry_, queue, options_.close_timeout,
                       [this](std::shared_ptr<PublisherCore> core) { Accept(std::move(core)); }});
  server_ = builder.BuildAndStart();
  threads_ = std::make_unique<CompletionThreads>(std::move(added), options_.threads);
  if (server_ == nullptr) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", options_.address, ": gRPC could not start"));
  }
  ServerCall::WaitForNext(*host_);
  services_.Serve(queue);
  port_->Start();
  return absl::OkStatus();
}

GrpcServer::~GrpcServer() {
  if (server_ == nullptr) return;
  Shutdown(absl::ZeroDuration());
  drain_.join();
  threads_.reset();
}

void GrpcServer::Shutdown(absl::Duration grace) {
  draining_ = true;
  registry_.SetGrace(grace);
  std::call_once(drain_once_, [this] {
    services_.health().StopServing();
    drain_ = std::thread([this] { Drain(); });
  });
}

void GrpcServer::Drain() {
  registry_.DrainTo(1);  // the call that waits for the next follower
  port_->Stop();
  server_->Shutdown(gpr_now(GPR_CLOCK_REALTIME));
  registry_.WaitUntilEmpty();
  services_.WaitForEnd();
}

void GrpcServer::TurnAway(PublisherCore& core, const absl::Status& status, const std::string& remedy) {
  const std::string message(status.message());
  if (options_.on_refused) options_.on_refused(message, remedy);
  Refuse(core, MakeEnd(v1::End::REASON_REFUSED, message, remedy), status);
}

void GrpcServer::Accept(std::shared_ptr<PublisherCore> core) {
  if (draining_) {
    return Refuse(*core, MakeEnd(v1::End::REASON_SHUTDOWN, "the process is stopping", ""));
  }
  const std::string peer = core->peer();
  if (!options_.insecure && !options_.is_local(peer)) {
    const std::string message = absl::StrCat("protected mode: without TLS, ", options_.address,
                                             " answers only peers on its own host, and ", HostOfPeer(peer), " is not");
    return TurnAway(*core, absl::PermissionDeniedError(message),
                    "set `insecure true` in this storage's section on the listening side if the network between is "
                    "trusted, or connect through a tunnel or a Unix socket");
  }
  if (registry_.size() > options_.max_streams + 1) {
    const std::string message = absl::StrCat(options_.address, " has ", options_.max_streams, " streams already");
    return TurnAway(*core, absl::ResourceExhaustedError(message), "connect fewer followers to this address");
  }
  Greet(std::move(core), find_storage_, options_.hello_timeout);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReplicationServer>> StartReplicationServer(const ServerOptions& options,
                                                                          FindStorage find_storage) {
  auto server = std::make_unique<GrpcServer>(options, std::move(find_storage));
  if (absl::Status status = server->Start(); !status.ok()) return status;
  return server;
}

}  // namespace zrs::transport
