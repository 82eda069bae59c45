// Which of several addresses a secondary follows: a state machine without I/O, threads or clock.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_CHOICE_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_CHOICE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "sidecar/storage/secondary/upstream_finding.h"

namespace zrs::storage {

// Addresses are numbers, from 0, in the order of the configuration. Times are of one monotonic clock. Not thread-safe.
//
// The rule: nobody of an earlier generation than is known here is followed; among the others the latest generation is,
// of one generation a primary before a secondary, and of two that are alike the first address. What is known of a
// generation stays known while its address does not answer. A secondary counts only where it hears its primary; and not
// for a while after a primary was lost: what others heard of that one they may not miss yet, and two that follow each
// other would hear nothing any more. One that has turned this follower away (it has no room) does not count for a
// while.
class UpstreamChoice {
 public:
  // At least 1.
  explicit UpstreamChoice(size_t addresses);

  // All are looked at from here on; what was found before is no answer any more.
  void BeginRound();
  // What a look at the address found: as an answer of this round, or while another one is followed.
  void OnFound(size_t address, UpstreamFinding finding, absl::Duration now);
  // An address is connected to, and is the present one from here on, also when it is lost again.
  void OnConnecting(size_t address);
  // The present one has let this follower in; again whenever that may have changed.
  void OnFollowing(uint64_t generation, bool secondary);
  // The connection to the present one ended.
  void OnLost(absl::Duration now);
  // The present one does not let this follower in, though it answered a look.
  void OnTurnedAway(absl::Duration now) { addresses_[present_].turned_away = now; }

  // The one to connect to now; none as long as others may be better, and where nobody is to be followed. `own`: the
  // generation that this follower's copy is of; 0: it has none, or yields.
  std::optional<size_t> Next(uint64_t own, absl::Duration now) const;
  // Every address has answered in this round.
  bool round_over() const;
  // A later generation than the present one's was found elsewhere, or its primary where the present one is a secondary:
  // it is to be left.
  bool outdone(absl::Duration now) const;
  bool turned_away(size_t address, absl::Duration now) const;
  // The address, if any, that shows that there are two primaries of that generation. What the one that is followed was
  // before is of no matter.
  std::optional<size_t> rival(uint64_t generation) const;
  // The primary of the latest generation that is known refuses this follower, whose file is no part of its own.
  const UpstreamFinding* divergence(uint64_t own) const;

  size_t present() const { return present_; }
  bool following() const { return followed_generation_.has_value(); }
  const UpstreamFinding& finding(size_t address) const { return addresses_[address].finding; }
  // Whether that was found in this round.
  bool answered(size_t address) const { return addresses_[address].answered; }
  // When the address was found to be so; the beginning of time where it was not.
  absl::Duration found_at(size_t address) const { return addresses_[address].found_at; }
  // One of them was a primary when it answered last.
  bool knows_primary() const;
  // The latest generation that an address, or this follower, is known to be of.
  uint64_t known_generation(uint64_t own) const;

  // After one that could be followed, the others have so long to answer.
  static constexpr absl::Duration kOthersMayAnswer = absl::Seconds(1);
  // After a primary was lost no secondary is followed for so long.
  static constexpr absl::Duration kPatience = absl::Seconds(15);
  // One that turned this follower away is not asked again for so long, where there is another.
  static constexpr absl::Duration kFull = absl::Minutes(2);

 private:
  struct Address {
    UpstreamFinding finding;
    absl::Duration found_at = -absl::InfiniteDuration();
    bool answered = false;    // in this round
    uint64_t generation = 0;  // when it told of one last
    bool was_primary = false;
    std::optional<absl::Duration> turned_away;
  };
  bool CanBeFollowed(size_t address, uint64_t known, absl::Duration now) const;
  std::optional<size_t> Best(uint64_t known, absl::Duration now) const;

  std::vector<Address> addresses_;
  size_t present_ = 0;
  bool present_was_followed_ = false;
  std::optional<uint64_t> followed_generation_;  // while it is followed
  bool follows_primary_ = false;
  std::optional<absl::Duration> primary_lost_;
  std::optional<absl::Duration> first_found_;  // in this round, of those that could be followed
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_CHOICE_H_
