// Those who wait until enough followers have something.
#ifndef ZRS_SIDECAR_STORAGE_WAITERS_H_
#define ZRS_SIDECAR_STORAGE_WAITERS_H_

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "proto/zrs/v1/admin.pb.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/storage/publisher.h"

namespace zrs::storage {

// Everything on the strand. References outlive it.
class Waiters {
 public:
  using Answer = absl::AnyInvocable<void(v1::WaitResponse)>;
  using Wanted = std::function<bool()>;

  Waiters(std::string storage_name, runtime::Runtime& runtime, const Publisher& publisher);

  // Answers DONE when `replicas` followers (0: all that are connected when that is looked at, at least one) have
  // acknowledged `offset`; NO_FOLLOWER or TIMEOUT after `timeout`. Where that is infinite and nobody is connected:
  // NO_FOLLOWER at once. FAILED when too many wait. `wanted`: whether anybody still listens; thread-safe.
  void Add(uint64_t offset, uint32_t replicas, absl::Duration timeout, Wanted wanted, Answer answer);
  // Looks again.
  void Check();
  // The file was replaced by a pack, which has all that was waited for, and ends at `end`.
  void OnReplaced(uint64_t end);
  // Answers all that are left with FAILED: the storage stops.
  void Fail(const std::string& why);

 private:
  struct Waiter {
    uint64_t offset = 0;
    uint32_t replicas = 0;
    Wanted wanted;
    Answer answer;
    std::unique_ptr<runtime::Timer> timer;
  };
  uint32_t NeededBy(const Waiter& waiter) const;
  v1::WaitResponse NoFollower() const;
  void OnTimeout(std::list<Waiter>::iterator waiter);

  const std::string storage_name_;
  runtime::Runtime& runtime_;
  const Publisher& publisher_;
  std::list<Waiter> waiters_;
};

// A response for `storage_name`.
v1::WaitResponse MakeWaitResponse(v1::WaitResponse::Result result, std::string message);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_WAITERS_H_
