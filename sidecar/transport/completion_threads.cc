#include "sidecar/transport/completion_threads.h"

#include <utility>

#include "grpc/grpc.h"

namespace zrs::transport {
namespace {

// Keeps gRPC's library up for the life of the process: when its last user goes it waits for its own threads, and one of
// them may be in a poll that takes 10 s to return.
void KeepLibrary() {
  [[maybe_unused]] static const bool kept = [] {
    grpc_init();
    return true;
  }();
}

}  // namespace

CompletionThreads::CompletionThreads(std::unique_ptr<grpc::CompletionQueue> queue, int threads)
    : queue_(std::move(queue)) {
  KeepLibrary();
  for (int i = 0; i < threads; i++) threads_.emplace_back([this] { Run(); });
}

CompletionThreads::~CompletionThreads() {
  queue_->Shutdown();
  for (std::thread& thread : threads_) thread.join();
}

void CompletionThreads::Run() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) static_cast<Completion*>(tag)->Complete(ok);
}

}  // namespace zrs::transport
