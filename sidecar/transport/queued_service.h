// A gRPC service whose calls arrive on a server's completion queue, and how such a server waits for their end.
#ifndef ZRS_SIDECAR_TRANSPORT_QUEUED_SERVICE_H_
#define ZRS_SIDECAR_TRANSPORT_QUEUED_SERVICE_H_

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>

#include "grpcpp/completion_queue.h"
#include "grpcpp/impl/service_type.h"
#include "sidecar/transport/queued_call.h"

namespace zrs::transport {

// How many calls there are. Thread-safe.
class CallCount {
 public:
  void Add() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++calls_;
  }
  void Remove() {
    const std::lock_guard<std::mutex> lock(mutex_);
    --calls_;
    // Under the lock: whoever waits may destroy this as soon as it has the mutex.
    changed_.notify_all();
  }
  void WaitForNone() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return calls_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t calls_ = 0;
};

// Where calls arrive. Outlives them.
struct CallHost {
  grpc::ServerCompletionQueue* queue;
  CallCount& calls;
};

// A call that arrives at a service, or will.
class ServiceCall : public QueuedCall {
 protected:
  explicit ServiceCall(const CallHost& host) : host_(host) { host_.calls.Add(); }

  const CallHost& host() const { return host_; }

 private:
  void Ended() override { host_.calls.Remove(); }

  const CallHost& host_;
};

// Outlives its calls.
class QueuedService {
 public:
  virtual ~QueuedService() = default;
  // The full name.
  virtual std::string name() const = 0;
  // To be registered with the server before it starts.
  virtual grpc::Service& service() = 0;
  // Begins to take calls, of the server that runs now, until that is shut down. Once.
  virtual void Serve(const CallHost& host) = 0;
};

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_QUEUED_SERVICE_H_
