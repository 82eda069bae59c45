#include "sidecar/transport/call_registry.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace zrs::transport {

bool CallRegistry::Add(RegisteredCall* call) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!closed_) calls_.insert(call);
  return !closed_;
}

void CallRegistry::Remove(RegisteredCall* call) {
  const std::lock_guard<std::mutex> lock(mutex_);
  calls_.erase(call);
  // Under the lock: whoever waits may destroy the registry as soon as it has the mutex.
  changed_.notify_all();
}

size_t CallRegistry::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return calls_.size();
}

void CallRegistry::Close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
}

void CallRegistry::CancelAll() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (RegisteredCall* call : calls_) call->CancelCall();
}

void CallRegistry::SetDeadline(absl::Time deadline) {
  const std::lock_guard<std::mutex> lock(mutex_);
  deadline_ = std::min(deadline_, deadline);
  changed_.notify_all();
}

void CallRegistry::DrainTo(size_t count) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (calls_.size() > count) {
    const absl::Duration left = deadline_ - absl::Now();
    if (left <= absl::ZeroDuration()) return;
    // In steps, because the wait itself cannot be told of an infinite time.
    changed_.wait_for(lock, absl::ToChronoMilliseconds(std::min(left, absl::Hours(1)) + absl::Milliseconds(1)));
  }
}

void CallRegistry::WaitUntilEmpty() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return calls_.empty(); });
}

}  // namespace zrs::transport
