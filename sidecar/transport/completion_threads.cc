#include "sidecar/transport/completion_threads.h"

#include <utility>

namespace zrs::transport {

CompletionThreads::CompletionThreads(std::unique_ptr<grpc::CompletionQueue> queue, int threads)
    : queue_(std::move(queue)) {
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
