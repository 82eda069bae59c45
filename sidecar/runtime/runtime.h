// The seam to threads and time. Everything that a storage does runs either on its strand or on its I/O thread; the
// simulation puts both, and the clock, on one event queue.
#ifndef ZRS_SIDECAR_RUNTIME_RUNTIME_H_
#define ZRS_SIDECAR_RUNTIME_RUNTIME_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

namespace zrs::runtime {

using Task = absl::AnyInvocable<void()>;

// Cancels its timer when destroyed or by Cancel(); on the strand only.
class Timer {
 public:
  virtual ~Timer() = default;
  virtual void Cancel() = 0;
};

// One storage's. Post, PostIo, PostAside, Now, UnixNow and Random may be called from any thread; the rest on the
// strand.
class Runtime {
 public:
  virtual ~Runtime() = default;
  // Runs `task` on the strand: one at a time, in the order posted; perhaps before it returns, on the calling thread, so
  // without a lock that a task may want.
  virtual void Post(Task task) = 0;
  // Runs `task` on the I/O thread, where it may block: one at a time, in the order posted.
  virtual void PostIo(Task task) = 0;
  // Runs `task` beside the two, where it may take long: on a thread of its own, behind all others where processor and
  // disk are short, one at a time in the order posted. What it posts to the strand may run there too: so it had better
  // end by PostIo. Unavailable where no thread is to be had; then it is not run.
  virtual absl::Status PostAside(Task task) = 0;
  // Runs `task` on the strand after `delay`, or a little later (some 50 ms where it is long), unless cancelled.
  virtual std::unique_ptr<Timer> After(absl::Duration delay, Task task) = 0;
  // Monotonic: since some fixed moment.
  virtual absl::Duration Now() = 0;
  // The wall clock; for what people and other hosts are told, never for decisions.
  virtual absl::Time UnixNow() = 0;
  // Uniform over all values. For jitter.
  virtual uint64_t Random() = 0;
};

// Tells that something happened to a file or to its name. Spurious calls are fine, missed ones cost a poll interval. On
// the strand.
class FileWatch {
 public:
  virtual ~FileWatch() = default;
  // For whoever looks at the file without being told: writes to it are not told any more, from a moment later until
  // TellWrites, or until something happens to its name. Each notification costs the one who writes too.
  virtual void IgnoreWrites() = 0;
  // They are told again, and `changed` is called once more, for those that were not.
  virtual void TellWrites() = 0;
  virtual bool native() const = 0;  // false: no notification could be had, the slow poll alone remains
};

class FileWatcher {
 public:
  virtual ~FileWatcher() = default;
  // Calls `changed` on the runtime's strand until the watch is destroyed. Calls may be merged.
  virtual std::unique_ptr<FileWatch> Watch(const std::string& path, Runtime& runtime,
                                           std::function<void()> changed) = 0;
};

}  // namespace zrs::runtime

#endif  // ZRS_SIDECAR_RUNTIME_RUNTIME_H_
