// Which calls there are, so that whoever owns them can end them and wait for their end.
#ifndef ZRS_SIDECAR_TRANSPORT_CALL_REGISTRY_H_
#define ZRS_SIDECAR_TRANSPORT_CALL_REGISTRY_H_

#include <condition_variable>
#include <cstddef>
#include <mutex>
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
  // Until when DrainTo waits. It only ever moves to an earlier time than before.
  void SetDeadline(absl::Time deadline);
  // Waits until at most `count` are left, or until the deadline.
  void DrainTo(size_t count);
  void WaitUntilEmpty();

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_set<RegisteredCall*> calls_;
  absl::Time deadline_ = absl::InfiniteFuture();
  bool closed_ = false;
};

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_CALL_REGISTRY_H_
