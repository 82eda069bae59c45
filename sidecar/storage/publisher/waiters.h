// Those who wait until enough followers have something.
#ifndef ZRS_SIDECAR_STORAGE_PUBLISHER_WAITERS_H_
#define ZRS_SIDECAR_STORAGE_PUBLISHER_WAITERS_H_

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/zrs/v1/admin.pb.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/storage/publisher/publisher.h"

namespace zrs::storage {

// Everything on the strand. References outlive it.
class Waiters {
 public:
  using Answer = absl::AnyInvocable<void(v1::WaitResponse)>;
  using Wanted = std::function<bool()>;

  Waiters(std::string storage_name, runtime::Runtime& runtime, const Publisher& publisher);

  // Answers DONE when `replicas` followers (0: all that are connected when that is looked at, at least one) have
  // acknowledged what OnLooked tells; NO_FOLLOWER or TIMEOUT after `timeout`. Where that is infinite and nobody is
  // connected before OnLooked was called, though the file is published: NO_FOLLOWER, as soon as nobody is expected back
  // either. FAILED when too many wait.
  // `wanted`: whether anybody still listens; thread-safe.
  void Add(uint32_t replicas, absl::Duration timeout, Wanted wanted, Answer answer);
  // The number of the last one that was added; they count from 1.
  uint64_t newest() const { return newest_; }
  // All up to number `newest` wait for `end`, which is what is committed now; or it is not to be had: FAILED.
  void OnLooked(uint64_t newest, const absl::StatusOr<uint64_t>& end);
  // Whether somebody does not know yet what to wait for.
  bool HasUnlooked() const;
  // Looks again.
  void Check();
  // The file was replaced by a pack, which has all that was waited for, and ends at `end`.
  void OnReplaced(uint64_t end);
  // Answers all that are left with FAILED: the storage stops.
  void Fail(const std::string& why);

 private:
  struct Waiter {
    uint64_t number = 0;
    std::optional<uint64_t> offset = {};  // nullopt: the file is still being looked at
    bool expects = false;                 // nobody was connected when it had been, and they were expected back
    uint32_t replicas = 0;
    Wanted wanted;
    Answer answer;
    std::unique_ptr<runtime::Timer> timer = {};
  };
  // It would wait for somebody to connect, for ever perhaps.
  bool Hopeless(const Waiter& waiter) const;
  void CheckWhenNobodyIsExpected();
  uint32_t NeededBy(const Waiter& waiter) const;
  v1::WaitResponse NoFollower() const;
  v1::WaitResponse Failed(absl::string_view why) const;
  void OnTimeout(std::list<Waiter>::iterator waiter);

  const std::string storage_name_;
  runtime::Runtime& runtime_;
  const Publisher& publisher_;
  uint64_t newest_ = 0;
  std::list<Waiter> waiters_;
  std::unique_ptr<runtime::Timer> nobody_expected_;
};

// A response for `storage_name`.
v1::WaitResponse MakeWaitResponse(v1::WaitResponse::Result result, std::string message);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_PUBLISHER_WAITERS_H_
