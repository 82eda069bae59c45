#include "sidecar/transport/grpc_dialer.h"

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "sidecar/transport/call_registry.h"
#include "sidecar/transport/channel_arguments.h"
#include "sidecar/transport/client_call.h"
#include "sidecar/transport/completion_threads.h"
#include "sidecar/transport/peer_address.h"
#include "sidecar/transport/stream_core.h"

namespace zrs::transport {
namespace {

using Core = StreamCore<v1::FollowerMessage, v1::PublisherMessage>;

// What a stream needs of its dialer when it is started, if that still exists.
class ClientNetwork {
 public:
  explicit ClientNetwork(DialerOptions options) : options_(options) {}
  ~ClientNetwork() {
    registry_.Close();
    registry_.CancelAll();
    registry_.WaitUntilEmpty();
  }
  ClientNetwork(const ClientNetwork&) = delete;
  ClientNetwork& operator=(const ClientNetwork&) = delete;

  void Launch(const std::shared_ptr<Core>& core, const std::string& address) {
    const absl::StatusOr<std::string> target = ConnectTarget(address);
    if (!target.ok()) return core->OnWireDone(target.status());
    ClientCall::Launch(core,
                       grpc::CreateCustomChannel(*target, grpc::InsecureChannelCredentials(),
                                                 ClientArguments(options_.connect_timeout)),
                       address, registry_, Queue());
  }

  const DialerOptions& options() const { return options_; }

 private:
  // A process that never dials has no threads for it: they would be woken by what other threads poll for.
  grpc::CompletionQueue* Queue() {
    std::call_once(start_, [this] {
      threads_ = std::make_unique<CompletionThreads>(std::make_unique<grpc::CompletionQueue>(), options_.threads);
    });
    return threads_->queue();
  }

  const DialerOptions options_;
  CallRegistry registry_;
  std::once_flag start_;
  std::unique_ptr<CompletionThreads> threads_;  // goes first: its threads use the registry
};

class GrpcDialer final : public Dialer {
 public:
  explicit GrpcDialer(DialerOptions options) : network_(std::make_shared<ClientNetwork>(options)) {}

  std::shared_ptr<FollowerStream> Dial(const std::string& address) override {
    auto core = std::make_shared<Core>(
        StreamCoreOptions{
            .side = StreamSide::kClient,
            .open_timeout = 2 * network_->options().connect_timeout,
            .close_timeout = network_->options().close_timeout,
        },
        address);
    return std::make_shared<CoreStream<v1::FollowerMessage, v1::PublisherMessage>>(
        std::move(core),
        [weak = std::weak_ptr<ClientNetwork>(network_), address](const std::shared_ptr<Core>& started) {
          const std::shared_ptr<ClientNetwork> network = weak.lock();
          if (network == nullptr) return started->OnWireDone(absl::CancelledError(address + ": shut down"));
          network->Launch(started, address);
        });
  }

 private:
  const std::shared_ptr<ClientNetwork> network_;
};

}  // namespace

std::unique_ptr<Dialer> MakeGrpcDialer(DialerOptions options) { return std::make_unique<GrpcDialer>(options); }

}  // namespace zrs::transport
