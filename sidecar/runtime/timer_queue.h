// Timers of which most are cancelled before they are due.
#ifndef ZRS_SIDECAR_RUNTIME_TIMER_QUEUE_H_
#define ZRS_SIDECAR_RUNTIME_TIMER_QUEUE_H_

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <map>
#include <memory>
#include <mutex>

#include "absl/time/time.h"
#include "sidecar/runtime/runtime.h"

namespace zrs::runtime {

// One of the kernel's timers (timerfd) for all that a process waits for, set to the first of them. Asio's own wake up a
// thread of the context for each that is cancelled; here that wakes up nobody.
//
// Thread-safe; it is made by Make and ended by Close.
class TimerQueue : public std::enable_shared_from_this<TimerQueue> {
 public:
  // `context` outlives Close. Throws std::system_error where there is no descriptor left.
  static std::shared_ptr<TimerQueue> Make(asio::io_context& context);

  class Entry;
  // Runs `task` on a thread of the context at `due` on the steady clock, or soon after. A task never throws.
  std::shared_ptr<Entry> Add(absl::Duration due, Task task);
  // Not run any more, unless it is running or about to.
  void Remove(const std::shared_ptr<Entry>& entry);
  // Nothing is run any more, but what is about to, and nothing is kept.
  void Close();

 private:
  using Entries = std::multimap<absl::Duration, std::shared_ptr<Entry>>;

  explicit TimerQueue(asio::io_context& context) : descriptor_(context) {}
  void WaitLocked();
  // Sets the kernel's timer, where it is not set so already.
  void ArmLocked();
  void OnDue();

  std::mutex mutex_;
  // All of these are guarded by mutex_.
  asio::posix::stream_descriptor descriptor_;
  Entries entries_;
  absl::Duration armed_ = absl::InfiniteDuration();
};

}  // namespace zrs::runtime

#endif  // ZRS_SIDECAR_RUNTIME_TIMER_QUEUE_H_
