#include "sidecar/runtime/timer_queue.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

namespace zrs::runtime {

class TimerQueue::Entry {
 public:
  explicit Entry(Task what) : task(std::move(what)) {}

  Task task;
  // Guarded by the queue's mutex.
  bool waiting = true;
  Entries::iterator place;
};

std::shared_ptr<TimerQueue> TimerQueue::Make(asio::io_context& context) {
  // Of the steady clock, which is CLOCK_MONOTONIC.
  const int descriptor = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "make a timer");
  std::shared_ptr<TimerQueue> queue(new TimerQueue(context));
  const std::lock_guard<std::mutex> lock(queue->mutex_);
  std::error_code error;
  queue->descriptor_.assign(descriptor, error);
  if (error) {
    close(descriptor);
    throw std::system_error(error, "wait for a timer");
  }
  queue->WaitLocked();
  return queue;
}

std::shared_ptr<TimerQueue::Entry> TimerQueue::Add(absl::Duration due, Task task) {
  auto entry = std::make_shared<Entry>(std::move(task));
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!descriptor_.is_open()) {
    entry->waiting = false;
    return entry;
  }
  entry->place = entries_.emplace(due, entry);
  ArmLocked();
  return entry;
}

void TimerQueue::Remove(const std::shared_ptr<Entry>& entry) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!std::exchange(entry->waiting, false)) return;
    entries_.erase(entry->place);
    ArmLocked();
  }
  // What it holds goes without the lock: its end may add another one.
  entry->task = nullptr;
}

void TimerQueue::Close() {
  std::vector<Task> tasks;  // which go without the lock
  const std::lock_guard<std::mutex> lock(mutex_);
  std::error_code ignored;
  descriptor_.close(ignored);
  for (auto& [due, entry] : std::exchange(entries_, {})) {
    entry->waiting = false;
    tasks.push_back(std::exchange(entry->task, nullptr));
  }
}

void TimerQueue::WaitLocked() {
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [self = shared_from_this()](const std::error_code& error) {
                           if (!error) self->OnDue();
                         });
}

void TimerQueue::ArmLocked() {
  const absl::Duration due = entries_.empty() ? absl::InfiniteDuration() : entries_.begin()->first;
  if (due == armed_) return;
  armed_ = due;
  itimerspec setting{};  // zeros: not set
  if (due != absl::InfiniteDuration()) setting.it_value = absl::ToTimespec(due);
  (void)timerfd_settime(descriptor_.native_handle(), TFD_TIMER_ABSTIME, &setting, nullptr);
}

void TimerQueue::OnDue() {
  std::vector<std::shared_ptr<Entry>> due;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!descriptor_.is_open()) return;
    uint64_t times = 0;
    // Nothing to read: it was put off meanwhile.
    (void)!read(descriptor_.native_handle(), &times, sizeof(times));
    const absl::Duration now = absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
    while (!entries_.empty() && entries_.begin()->first <= now) {
      due.push_back(std::move(entries_.begin()->second));
      due.back()->waiting = false;
      entries_.erase(entries_.begin());
    }
    armed_ = absl::InfiniteDuration();
    ArmLocked();
    WaitLocked();
  }
  for (const std::shared_ptr<Entry>& entry : due) std::exchange(entry->task, nullptr)();
}

}  // namespace zrs::runtime
