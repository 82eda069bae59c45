// Which calls there are, so that whoever owns them can end them and wait for their end.
#ifndef ZRS_SIDECAR_TRANSPORT_CALL_REGISTRY_H_
#define ZRS_SIDECAR_TRANSPORT_CALL_REGISTRY_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <unordered_set>

#include "absl/time/time.h"

namespace zrs::transport {

class RegisteredCall {
 public:
  virtual ~RegisteredCall() = default;
  // Tears the call down. Any thread, any number of times; must not remove the call from within.
  virtual void CancelCall() = 0;
};

// Thread-safe.
class CallRegistry {
 public:
  // False, and not added, after Close.
  bool Add(RegisteredCall* call);
  // The call's last word to anybody: it may be deleted then.
  void Remove(RegisteredCall* call);
  size_t size() const;

  void Close();
  void CancelAll();
  // How long DrainTo waits from now (0 or more, or infinite). Its end only ever moves to an earlier time than before.
  void SetGrace(absl::Duration grace);
  // Waits until at most `count` are left, or until that time is over.
  void DrainTo(size_t count);
  void WaitUntilEmpty();

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_set<RegisteredCall*> calls_;
  // By the monotonic clock: a step of the wall clock must not stretch it. Absent: there is no end.
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  bool closed_ = false;
};

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_CALL_REGISTRY_H_
