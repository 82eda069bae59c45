#include "sidecar/transport/completion_threads.h"

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <utility>

#include "sidecar/transport/grpc_library.h"

namespace zrs::transport {
namespace {

std::atomic<uint64_t>& StartedOperations() {
  static std::atomic<uint64_t> started{0};
  return started;
}

}  // namespace

void* Completion::Tag() {
  StartedOperations().fetch_add(1, std::memory_order_release);
  return this;
}

CompletionThreads::CompletionThreads(std::unique_ptr<grpc::CompletionQueue> queue, int threads)
    : queue_(std::move(queue)) {
  BringUpGrpc();
  for (int i = 0; i < threads; i++) threads_.emplace_back([this] { Run(); });
}

CompletionThreads::~CompletionThreads() {
  queue_->Shutdown();
  for (std::thread& thread : threads_) thread.join();
}

void CompletionThreads::Run() {
  // Else it has the name of whoever happened to start it.
  pthread_setname_np(pthread_self(), "zrs-network");
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) {
    StartedOperations().load(std::memory_order_acquire);
    static_cast<Completion*>(tag)->Complete(ok);
  }
}

}  // namespace zrs::transport
