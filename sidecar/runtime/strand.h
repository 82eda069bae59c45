// Tasks one at a time, on whichever thread brings them: a task costs no switch of threads unless another is at work.
#ifndef ZRS_SIDECAR_RUNTIME_STRAND_H_
#define ZRS_SIDECAR_RUNTIME_STRAND_H_

#include <deque>
#include <mutex>

#include "sidecar/runtime/runtime.h"

namespace zrs::runtime {

// Thread-safe.
class Strand {
 public:
  Strand() = default;
  Strand(const Strand&) = delete;
  Strand& operator=(const Strand&) = delete;

  // Runs `task` after all that were posted before it: at once on this thread, which then also runs what is posted
  // meanwhile; or, where a task is being run (by another thread, or by the caller itself), on that thread. So the
  // caller holds no lock that a task may want, and counts with the task being over on return. `task` must not throw.
  void Post(Task task);

 private:
  std::mutex mutex_;
  std::deque<Task> waiting_;  // guarded by mutex_
  bool running_ = false;      // guarded by mutex_
};

}  // namespace zrs::runtime

#endif  // ZRS_SIDECAR_RUNTIME_STRAND_H_
