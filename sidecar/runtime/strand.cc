#include "sidecar/runtime/strand.h"

#include <utility>

namespace zrs::runtime {

void Strand::Post(Task task) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return;  // the task goes without the lock, as its end may post
    if (running_) return waiting_.push_back(std::move(task));
    running_ = true;
  }
  Run(std::move(task));
}

void Strand::Run(Task task) {
  for (int ran = 1; task; ++ran) {
    std::move(task)();
    // What it holds goes before the next one runs, and without the lock: its end may post.
    task = nullptr;
    if (ran == kMostInARow && HasWaiting()) {
      return elsewhere_([self = shared_from_this()] { self->Run(self->TakeFirst()); });
    }
    task = TakeFirst();
  }
}

bool Strand::HasWaiting() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return !waiting_.empty();
}

Task Strand::TakeFirst() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (waiting_.empty()) {
    running_ = false;
    return nullptr;
  }
  Task task = std::move(waiting_.front());
  waiting_.pop_front();
  return task;
}

void Strand::Close() {
  std::deque<Task> dropped;
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  dropped.swap(waiting_);
}

}  // namespace zrs::runtime
