// A follower's call, at the publisher.
#ifndef ZRS_SIDECAR_TRANSPORT_SERVER_CALL_H_
#define ZRS_SIDECAR_TRANSPORT_SERVER_CALL_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "grpcpp/server_context.h"
#include "proto/zrs/v1/replication.grpc.pb.h"
#include "sidecar/transport/grpc_call.h"

namespace zrs::transport {

class ServerCall final : public GrpcCall<v1::PublisherMessage, v1::FollowerMessage> {
 public:
  using Service = v1::Replication::WithRawMethod_Follow<v1::Replication::Service>;
  using Accept = std::function<void(std::shared_ptr<Core> core)>;
  // What every call of one server needs; it outlives them.
  struct Host {
    Service& service;
    CallRegistry& registry;
    grpc::ServerCompletionQueue* queue;
    absl::Duration close_timeout;
    Accept accept;  // told of each call that comes; on one of the queue's threads
  };

  // Waits for the next call, then waits for the one after it, and so on until the server is shut down.
  static void WaitForNext(const Host& host);

 private:
  explicit ServerCall(const Host& host);

  void Begin() override;
  void EndSending(const absl::Status& status) override;
  void Cancel() override { context_.TryCancel(); }
  absl::Status FinalStatus() const override;

  void Arrived(bool ok);
  void Over();

  const Host& host_;
  std::string peer_;
  grpc::ServerContext context_;
  grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer> stream_{&context_};
  bool broken_ = false;
  Operation arrive_{this, [this](bool ok) { Arrived(ok); }};
  Operation over_{this, [this](bool) { Over(); }};
  Operation greet_{this, [](bool) {}};
  Operation finish_{this, [](bool) {}};
};

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_SERVER_CALL_H_
