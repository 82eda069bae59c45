// What a client's and a server's call have in common: operations on a completion queue, and when the last is answered.
#ifndef ZRS_SIDECAR_TRANSPORT_GRPC_CALL_H_
#define ZRS_SIDECAR_TRANSPORT_GRPC_CALL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "grpcpp/alarm.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/support/async_stream.h"
#include "grpcpp/support/byte_buffer.h"
#include "sidecar/transport/call_registry.h"
#include "sidecar/transport/completion_threads.h"
#include "sidecar/transport/message_codec.h"
#include "sidecar/transport/queued_call.h"
#include "sidecar/transport/stream_core.h"
#include "sidecar/transport/wire.h"

namespace zrs::transport {

// Its members are used with the core's mutex held, or before the core knows of it.
//
// Messages pass gRPC as bytes and are decoded here, because gRPC tells a message that cannot be decoded the same way as
// the end of the stream.
template <typename Out, typename In>
class GrpcCall : public Wire<Out>, public RegisteredCall, protected QueuedCall {
 public:
  using Core = StreamCore<Out, In>;

 protected:
  using Reader = grpc::internal::AsyncReaderInterface<grpc::ByteBuffer>;
  using Writer = grpc::internal::AsyncWriterInterface<grpc::ByteBuffer>;

  GrpcCall(CallRegistry& registry, grpc::CompletionQueue* queue) : registry_(registry), queue_(queue) {}
  ~GrpcCall() override = default;

  // Before anything below.
  void Bind(std::shared_ptr<Core> core, Reader* reader, Writer* writer) {
    core_ = std::move(core);
    reader_ = reader;
    writer_ = writer;
  }
  // What became of the call, for people. When everything has been answered.
  virtual absl::Status FinalStatus() const = 0;

  const std::shared_ptr<Core>& core() const { return core_; }
  grpc::CompletionQueue* queue() const { return queue_; }

 private:
  // A timer owns itself too: gRPC's alarm can be set once and answers also when it is cancelled.
  class Timer final : public Completion {
   public:
    Timer(GrpcCall* call, absl::Duration delay, uint64_t id) : call_(call), id_(id) {
      call_->Hold();
      const auto milliseconds = absl::ToInt64Milliseconds(absl::Ceil(delay, absl::Milliseconds(1)));
      alarm_.Set(call_->queue_,
                 gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(milliseconds, GPR_TIMESPAN)),
                 this->Tag());
    }
    void Cancel() { alarm_.Cancel(); }
    void Complete(bool) override {
      GrpcCall* const call = call_;
      call->core_->OnWireTimer(id_);
      { const std::unique_ptr<Timer> self(this); }
      call->Release();
    }

   private:
    GrpcCall* const call_;
    const uint64_t id_;
    grpc::Alarm alarm_;
  };

  void StartWrite(Out message) override { writer_->Write(EncodeMessage(std::move(message)), Tag(write_)); }
  void StartRead() override { reader_->Read(&received_, Tag(read_)); }
  void StartTimer(absl::Duration delay, uint64_t id) override { timer_ = new Timer(this, delay, id); }
  void StopTimer() override { timer_->Cancel(); }
  void CancelCall() override { core_->Cancel(absl::CancelledError(absl::StrCat(core_->peer(), ": shut down"))); }

  void Received(bool ok) {
    if (!ok) return core_->OnWireReadEnd();
    In message;
    if (absl::Status status = DecodeMessage(received_, message); !status.ok()) {
      return core_->OnWireMalformed(absl::InvalidArgumentError(absl::StrCat(core_->peer(), ": ", status.message())));
    }
    core_->OnWireMessage(std::move(message));
  }

  void Ended() override {
    core_->OnWireDone(FinalStatus());
    registry_.Remove(this);
  }

  CallRegistry& registry_;
  grpc::CompletionQueue* const queue_;
  std::shared_ptr<Core> core_;
  Reader* reader_ = nullptr;
  Writer* writer_ = nullptr;
  Timer* timer_ = nullptr;  // the last one started
  grpc::ByteBuffer received_;
  Operation read_{this, [this](bool ok) { Received(ok); }};
  Operation write_{this, [this](bool ok) { core_->OnWireWritten(ok); }};
};

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_GRPC_CALL_H_
