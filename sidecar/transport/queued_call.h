// A call of gRPC whose operations are answered on a completion queue: which of them are under way, and when all is
// over.
#ifndef ZRS_SIDECAR_TRANSPORT_QUEUED_CALL_H_
#define ZRS_SIDECAR_TRANSPORT_QUEUED_CALL_H_

#include <atomic>
#include <functional>
#include <utility>

#include "sidecar/transport/completion_threads.h"

namespace zrs::transport {

// Owns itself: it is made with new and deletes itself when the last operation that it began has been answered.
class QueuedCall {
 public:
  QueuedCall(const QueuedCall&) = delete;
  QueuedCall& operator=(const QueuedCall&) = delete;

 protected:
  // Who is told when an operation is answered.
  class Operation final : public Completion {
   public:
    Operation(QueuedCall* call, std::function<void(bool)> answered) : call_(call), answered_(std::move(answered)) {}
    void Complete(bool ok) override {
      answered_(ok);
      call_->Release();
    }

   private:
    QueuedCall* const call_;
    const std::function<void(bool)> answered_;
  };

  QueuedCall() = default;
  virtual ~QueuedCall() = default;

  // To be given to gRPC as the tag of an operation that is started now.
  void* Tag(Operation& operation) {
    Hold();
    return operation.Tag();
  }
  // For an operation that gRPC turns out not to answer. Not for the last one.
  void Untag() { pending_.fetch_sub(1, std::memory_order_relaxed); }

  // The same for what is no Operation.
  void Hold() { pending_.fetch_add(1, std::memory_order_relaxed); }
  void Release() {
    if (pending_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    Ended();
    delete this;
  }

 private:
  // All is answered; the call is deleted next.
  virtual void Ended() = 0;

  std::atomic<int> pending_{0};
};

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_QUEUED_CALL_H_
