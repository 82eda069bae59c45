#include "sidecar/runtime/strand.h"

#include <utility>

namespace zrs::runtime {

void Strand::Post(Task task) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (running_) return waiting_.push_back(std::move(task));
    running_ = true;
  }
  while (true) {
    std::move(task)();
    // What it holds goes before the next one runs, and without the lock: its end may post.
    task = nullptr;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (waiting_.empty()) {
      running_ = false;
      return;
    }
    task = std::move(waiting_.front());
    waiting_.pop_front();
  }
}

}  // namespace zrs::runtime
