// The threads on which the network's answers arrive.
#ifndef ZRS_SIDECAR_TRANSPORT_COMPLETION_THREADS_H_
#define ZRS_SIDECAR_TRANSPORT_COMPLETION_THREADS_H_

#include <memory>
#include <thread>
#include <vector>

#include "grpcpp/completion_queue.h"

namespace zrs::transport {

// What gRPC is given as the tag of an operation.
class Completion {
 public:
  virtual ~Completion() = default;
  // Called once per operation, on one of the threads. May delete the completion.
  virtual void Complete(bool ok) = 0;

  // The tag for an operation that is started now. What was written before is seen by Complete: gRPC sees to that too,
  // but the thread sanitizer cannot look into its library.
  void* Tag();
};

// No server and no client of the running process uses gRPC's other two interfaces, because of their threads. Behind the
// callback interface of gRPC 1.51 there are two that ask again after each idle second, and then sleep for 100 ms: a
// commit that falls into that sleep waits for its end, and these wake-ups alone are most of what an idle process does.
// Those of the synchronous interface come in addition, for each server. And with any engine but `poll`, which main.cc
// chooses, each thread that waits also polls the network in its turn, for all the others, whom it then has to wake.
class CompletionThreads {
 public:
  CompletionThreads(std::unique_ptr<grpc::CompletionQueue> queue, int threads);
  // Waits for the answers of what was started, so nothing may be started any more; never on one of the threads.
  ~CompletionThreads();
  CompletionThreads(const CompletionThreads&) = delete;
  CompletionThreads& operator=(const CompletionThreads&) = delete;

  grpc::CompletionQueue* queue() const { return queue_.get(); }

 private:
  void Run();

  const std::unique_ptr<grpc::CompletionQueue> queue_;
  std::vector<std::thread> threads_;
};

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_COMPLETION_THREADS_H_
