// The addresses that a secondary may follow: looks at them, and knows which one it is to be.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_SEARCH_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_SEARCH_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/zrs/v1/admin.pb.h"
#include "sidecar/replication/copy.h"
#include "sidecar/storage/options.h"
#include "sidecar/storage/secondary/upstream_choice.h"
#include "sidecar/storage/secondary/upstream_look.h"

namespace zrs::storage {

// Everything on the strand.
class UpstreamSearch {
 public:
  // `options` and `services` are referred to. `found` is called when an address was found to be something, or enough
  // time has passed for another answer by choice().
  UpstreamSearch(const StorageOptions& options, const StorageServices& services, std::function<void()> found);

  // Else there is nothing to choose.
  bool several() const { return options_.upstreams.size() > 1; }
  // The one that is followed or connected to, or was last.
  const std::string& address() const { return options_.upstreams[choice_.present()]; }
  const UpstreamChoice& choice() const { return choice_; }

  // Looks at all, in a new round, but at the present one while that is connected.
  void Look(const replication::Copy& copy);
  // To be called now and then while the present one is followed: looks at the others when that is due.
  void LookNowAndThen(const replication::Copy& copy);
  // No more answers.
  void Stop();

  // Before anything else: the one that was followed last, by a process before this one. Without effect where it is none
  // of the addresses.
  void Remember(const std::string& address);
  void OnConnecting(size_t address);
  // The others are looked at soon after it has begun.
  void OnFollowing(uint64_t generation, bool secondary);
  void OnLost();
  void OnTurnedAway() { choice_.OnTurnedAway(runtime_.Now()); }

  // Why nobody is followed, by address.
  std::string Describe() const;
  // Whether a promotion has to be refused for what another address than the connected one is, by looks since `since`
  // and since the present one was lost; nullopt while one of them has not answered, for `most` after that at the
  // longest, or a secondary still hears its primary, which it may do for a while after that is lost. `in_order`: the
  // present one was stopped in order, and what a secondary hears is of no matter.
  std::optional<absl::Status> JudgeOthers(absl::Duration since, absl::Duration most, bool in_order) const;
  void FillStatus(v1::Upstream& status) const;

  // A secondary that hears its primary after so long stands for one that is there.
  static constexpr absl::Duration kHearsay = absl::Seconds(10);

  // Between two looks at the others, shortened or lengthened by up to a quarter.
  static constexpr absl::Duration kLookInterval = absl::Seconds(30);

 private:
  void LookAt(size_t address, const replication::Copy& copy);
  void OnFound(size_t address, UpstreamFinding finding);
  void ScheduleLook();
  std::string WhyNot(size_t address) const;

  const StorageOptions& options_;
  const StorageServices& services_;
  runtime::Runtime& runtime_;
  const std::function<void()> found_;
  UpstreamChoice choice_;
  bool connected_ = false;  // to the present one, or about to be
  // Looks have one of their own: they are no follower that came back.
  std::string node_id_;
  std::vector<std::shared_ptr<UpstreamLook>> looks_;  // by address; null: none is under way
  std::unique_ptr<runtime::Timer> enough_;
  absl::Duration lost_;  // the present one, last, by Runtime::Now
  absl::Duration next_look_;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_SEARCH_H_
