#include "sidecar/transport/call_registry.h"

#include <algorithm>

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

void CallRegistry::SetGrace(absl::Duration grace) {
  if (grace == absl::InfiniteDuration()) return;
  const auto deadline = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(grace);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!deadline_ || deadline < *deadline_) deadline_ = deadline;
  changed_.notify_all();
}

void CallRegistry::DrainTo(size_t count) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (calls_.size() > count) {
    // The deadline may come nearer during the wait, which then begins anew.
    if (!deadline_) {
      changed_.wait(lock);
    } else if (changed_.wait_until(lock, *deadline_) == std::cv_status::timeout) {
      return;
    }
  }
}

void CallRegistry::WaitUntilEmpty() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return calls_.empty(); });
}

}  // namespace zrs::transport
