// Tasks one at a time, on whichever thread brings them: a task costs no switch of threads unless another is at work.
#ifndef ZRS_SIDECAR_RUNTIME_STRAND_H_
#define ZRS_SIDECAR_RUNTIME_STRAND_H_

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "sidecar/runtime/runtime.h"

namespace zrs::runtime {

// Thread-safe.
class Strand : public std::enable_shared_from_this<Strand> {
 public:
  // Has a task run by another thread, or on this one after it has returned to whoever posts.
  using Elsewhere = std::function<void(Task)>;

  explicit Strand(Elsewhere elsewhere) : elsewhere_(std::move(elsewhere)) {}
  Strand(const Strand&) = delete;
  Strand& operator=(const Strand&) = delete;

  // Runs `task` after all that were posted before it: at once on this thread, which then also runs what is posted
  // meanwhile; or, where a task is being run (by another thread, or by the caller itself), on that thread. So the
  // caller holds no lock that a task may want, and counts with the task being over on return. `task` must not throw.
  // What others post does not capture the thread for good: after kMostInARow tasks the rest goes elsewhere.
  void Post(Task task);

  // Drops what waits, and whatever is posted from now on.
  void Close();

  static constexpr int kMostInARow = 64;

 private:
  // This one, then what waits.
  void Run(Task task);
  bool HasWaiting();
  // Null, and nothing runs any more, where nothing waits.
  Task TakeFirst();

  const Elsewhere elsewhere_;
  std::mutex mutex_;
  std::deque<Task> waiting_;  // guarded by mutex_
  bool running_ = false;      // guarded by mutex_; also while what waits is on its way elsewhere
  bool closed_ = false;       // guarded by mutex_
};

}  // namespace zrs::runtime

#endif  // ZRS_SIDECAR_RUNTIME_STRAND_H_
