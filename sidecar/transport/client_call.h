// A follower's call to a publisher.
#ifndef ZRS_SIDECAR_TRANSPORT_CLIENT_CALL_H_
#define ZRS_SIDECAR_TRANSPORT_CLIENT_CALL_H_

#include <memory>
#include <string>

#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "sidecar/transport/grpc_call.h"

namespace zrs::transport {

class ClientCall final : public GrpcCall<v1::FollowerMessage, v1::PublisherMessage> {
 public:
  // Makes the call for `core`. It owns itself, and `channel`, until its end. `address` is for people.
  static void Launch(std::shared_ptr<Core> core, std::shared_ptr<grpc::Channel> channel, const std::string& address,
                     CallRegistry& registry, grpc::CompletionQueue* queue);

 private:
  using Stream = grpc::ClientAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>;

  ClientCall(std::shared_ptr<Core> core, std::shared_ptr<grpc::Channel> channel, const std::string& address,
             CallRegistry& registry, grpc::CompletionQueue* queue);

  void Begin() override;
  void EndSending(const absl::Status& status) override;
  void Cancel() override { context_.TryCancel(); }
  absl::Status FinalStatus() const override;

  void Started();
  void Answered(bool ok);

  const std::string address_;
  const std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  std::unique_ptr<Stream> stream_;
  grpc::Status status_;
  bool answered_ = false;
  Operation start_{this, [this](bool) { Started(); }};
  Operation answer_{this, [this](bool ok) { Answered(ok); }};
  Operation half_close_{this, [](bool) {}};
  Operation finish_{this, [this](bool) { core()->OnWireOver(); }};
};

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_CLIENT_CALL_H_
