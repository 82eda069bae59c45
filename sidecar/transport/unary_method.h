// A method of a service with one request and one answer, which may come later and from any thread.
#ifndef ZRS_SIDECAR_TRANSPORT_UNARY_METHOD_H_
#define ZRS_SIDECAR_TRANSPORT_UNARY_METHOD_H_

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "grpcpp/server_context.h"
#include "grpcpp/support/async_unary_call.h"
#include "sidecar/transport/queued_service.h"

namespace zrs::transport {

// The way back to one call. Thread-safe, and its copies are the same way. The call is answered at most once: what comes
// later, or after the call's end, is dropped. May outlive the call and the server.
template <typename Response>
class Answer {
 public:
  // What is answered.
  class Target {
   public:
    virtual ~Target() = default;
    virtual void Finish(const Response& response, const grpc::Status& status) = 0;
  };
  explicit Answer(Target* call) : way_(std::make_shared<Way>(call)) {}

  void operator()(const Response& response) const { Give(response, grpc::Status::OK); }
  void Fail(const grpc::Status& status) const { Give(Response(), status); }
  // False once the call is answered, or its client has given up or is gone.
  bool wanted() const {
    const std::lock_guard<std::mutex> lock(way_->mutex);
    return way_->call != nullptr;
  }
  // The call has ended: it is answered no more, from when this returns.
  void Close() const {
    const std::lock_guard<std::mutex> lock(way_->mutex);
    way_->call = nullptr;
  }

 private:
  struct Way {
    explicit Way(Target* to) : call(to) {}
    std::mutex mutex;
    Target* call;  // guarded by mutex
  };

  void Give(const Response& response, const grpc::Status& status) const {
    const std::lock_guard<std::mutex> lock(way_->mutex);
    if (Target* const call = std::exchange(way_->call, nullptr)) call->Finish(response, status);
  }

  std::shared_ptr<Way> way_;
};

// A member of a QueuedService, beside the generated one.
template <typename Request, typename Response>
class UnaryMethod {
 public:
  // Called for each call, on one of the queue's threads: it does not block. `request` is there until it returns.
  using Handle = std::function<void(const Request& request, Answer<Response> answer)>;

  // `ask`: RequestNAME of the generated AsyncService.
  template <typename Service, typename Base>
  UnaryMethod(Service& service,
              void (Base::*ask)(grpc::ServerContext*, Request*, grpc::ServerAsyncResponseWriter<Response>*,
                                grpc::CompletionQueue*, grpc::ServerCompletionQueue*, void*),
              Handle handle)
      : ask_([&service, ask](const CallHost& host, grpc::ServerContext* context, Request* request,
                             grpc::ServerAsyncResponseWriter<Response>* responder,
                             void* tag) { (service.*ask)(context, request, responder, host.queue, host.queue, tag); }),
        handle_(std::move(handle)) {}
  UnaryMethod(const UnaryMethod&) = delete;
  UnaryMethod& operator=(const UnaryMethod&) = delete;

  // As QueuedService::Serve.
  void Serve(const CallHost& host) const { Call::WaitForNext(*this, host); }

 private:
  class Call final : public ServiceCall, public Answer<Response>::Target {
   public:
    static void WaitForNext(const UnaryMethod& method, const CallHost& host) {
      auto* const call = new Call(method, host);
      method.ask_(host, &call->context_, &call->request_, &call->responder_, call->Tag(call->arrive_));
    }

   private:
    Call(const UnaryMethod& method, const CallHost& host) : ServiceCall(host), method_(method) {
      context_.AsyncNotifyWhenDone(Tag(over_));
    }

    void Arrived(bool ok) {
      // Only once the server is shut down: then no call begins, and none is over.
      if (!ok) return Untag();
      WaitForNext(method_, host());
      method_.handle_(request_, answer_);
    }

    // With the answer's mutex held, and not after it was closed: so the queue is still there.
    void Finish(const Response& response, const grpc::Status& status) override {
      responder_.Finish(response, status, Tag(finish_));
    }

    const UnaryMethod& method_;
    grpc::ServerContext context_;
    Request request_;
    grpc::ServerAsyncResponseWriter<Response> responder_{&context_};
    Answer<Response> answer_{this};
    Operation arrive_{this, [this](bool ok) { Arrived(ok); }};
    Operation over_{this, [this](bool) { answer_.Close(); }};
    Operation finish_{this, [](bool) {}};
  };

  const std::function<void(const CallHost& host, grpc::ServerContext* context, Request* request,
                           grpc::ServerAsyncResponseWriter<Response>* responder, void* tag)>
      ask_;
  const Handle handle_;
};

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_UNARY_METHOD_H_
