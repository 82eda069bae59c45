#include "tests/simulation/lost_state.h"

#include <algorithm>
#include <optional>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sidecar/replication/lineage.h"
#include "tests/simulation/opener.h"

namespace zrs::simulation {
namespace {

constexpr absl::Duration kLookAgain = absl::Milliseconds(100);  // until it is looked again whether a process is gone
constexpr absl::Duration kLongestDown = absl::Seconds(6);
constexpr absl::Duration kStopTimeout = absl::Seconds(5);
constexpr uint64_t kMostLosses = 3;  // of each kind: what else happens is to be seen too
constexpr int kPatience = 4;         // looks until an administrator does what a remedy says
constexpr int kLongPatience = 12;    // where it says that it may come to an end by itself

}  // namespace

bool LostState::MayBegin() const { return !cluster_.failing_over() && !cluster_.restoring() && !cluster_.has_backup(); }

void LostState::BeginAtPrimary() {
  Node& primary = cluster_.primary();
  if (!MayBegin() || !primary.running() || primaries_ >= kMostLosses) return;
  ++primaries_;
  End(primary);
  if (cluster_.has_secondaries() && cluster_.random().OneIn(4)) {
    Node& other = *cluster_.nodes()[cluster_.random().Below(cluster_.nodes().size())];
    if (!other.is_primary()) BeginAtSecondary(other);
  }
}

void LostState::BeginAtSecondary(Node& node) {
  if (!MayBegin() || !node.running() || cluster_.IsStale(node) || secondaries_ >= kMostLosses) return;
  ++secondaries_;
  End(node);
}

void LostState::End(Node& node) {
  SeededRandom& random = cluster_.random();
  cluster_.log().Add(node.name(), "is about to lose its state");
  if (random.OneIn(3)) {
    node.Stop(random.Delay(absl::ZeroDuration(), kStopTimeout));
  } else {
    node.Crash(/*host_too=*/random.OneIn(2));
  }
  LoseWhenGone(node, node.life());
}

void LostState::LoseWhenGone(Node& node, uint64_t life) {
  if (node.life() != life) return;  // it was started again meanwhile
  if (node.gone()) return Lose(node);
  cluster_.queue().Add(kLookAgain, [this, &node, life] { LoseWhenGone(node, life); });
}

void LostState::Lose(Node& node) {
  // Which host has the database may be another by now.
  if (!MayBegin() || cluster_.IsStale(node)) return cluster_.StartLater(node, absl::ZeroDuration());
  // Its state alone knew of it: he restarts the host, so that what is read is on the disk.
  if (node.sync_failed()) node.Crash(/*host_too=*/true);
  cluster_.log().Add(node.name(), "loses its state");
  node.LoseState();
  cluster_.checker().OnStateLost(node);
  if (node.is_primary()) {
    node.Follow({});
    cluster_.ForgetPacks();
    takes_identity_.clear();
  }
  unknown_.insert(&node);
  cluster_.StartLater(node, cluster_.random().Delay(absl::ZeroDuration(), kLongestDown));
}

bool LostState::Judge(Node& node, const v1::StorageStatus& status) {
  if (status.state().empty() || primaries_ + secondaries_ == 0) return false;
  if (node.is_primary()) {
    takes_identity_ = status.takes_identity();
    if (unknown_.contains(&node) && node.StateOnDisk()) unknown_.erase(&node);
    return false;
  }
  if (unknown_.contains(&node)) LookAtCopy(node);
  if (status.state() == "streaming") {
    unknown_.erase(&node);
    differ_.erase(&node);
  }
  if (!absl::StrContains(status.error().message(), "the follower keeps database")) {
    stuck_.erase(&node);
    return false;
  }
  if (++stuck_[&node] >= kPatience) Mend(node, status.error().remedy());
  return true;
}

bool LostState::IsOfForgottenEpoch(Node& node) const {
  if (primaries_ == 0) return false;
  const v1::Lineage own = node.LineageOnDisk();
  const v1::Lineage primarys = cluster_.primary().LineageOnDisk();
  return own.database_id() == primarys.database_id() && !own.epochs().empty() &&
         !replication::IsPrefixOf(own, primarys);
}

// What it is compared with is the file of whoever answers first, perhaps one that is behind.
void LostState::LookAtCopy(Node& node) {
  std::string copy = node.disk().Contents(kDataPath);
  // What is torn ZODB cuts off, or refuses the file; zrs asks a person.
  if (node.lost_power() && EndsUnsound(copy)) differ_.insert(&node);
  copy.resize(std::min<size_t>(copy.size(), OpenAsZodb(copy).end));
  if (!absl::StartsWith(cluster_.writer().history(), copy)) differ_.insert(&node);
  for (const auto& other : cluster_.nodes()) {
    if (!absl::c_linear_search(node.upstreams(), other->name())) continue;
    const std::string theirs = other->disk().Contents(kDataPath);
    if (!absl::StartsWith(theirs, copy) && !absl::StartsWith(copy, theirs)) differ_.insert(&node);
  }
}

void LostState::Mend(Node& node, const std::string& remedy) {
  if (!MayBegin() || !node.running()) return;
  const bool lasts = stuck_[&node] >= kLongPatience;
  if (absl::StartsWith(remedy, "none needed") && !lasts) return;
  if (absl::StrContains(remedy, "zrs adopt --new-database on its host")) {
    if (takes_identity_.empty()) return MoveStateAway(node);
    return Tell(v1::AdoptRequest::AS_NEW_DATABASE);
  }
  const bool told_to_move = absl::StrContains(remedy, "move the follower's state file") ||
                            absl::StrContains(remedy, "on the follower's host, move its state file");
  if (told_to_move && (takes_identity_ == "wanted" || !cluster_.random().OneIn(3))) return MoveStateAway(node);
  if (told_to_move) return Tell(v1::AdoptRequest::AS_PROVED);
  // It is being compared; or, of several addresses, some do not answer, and a person has to know better.
  if (node.upstreams().size() > 1 && lasts) Tell(v1::AdoptRequest::AS_PROVED);
}

void LostState::Tell(v1::AdoptRequest::As as) {
  if (as == v1::AdoptRequest::AS_PROVED && takes_identity_ == "wanted") return;
  adoption_.Tell(as, [this](Node& /*primary*/, const absl::StatusOr<std::string>& answer) {
    if (answer.ok()) ++told_;
  });
}

void LostState::MoveStateAway(Node& node) {
  cluster_.log().Add(node.name(), "is stopped, for its state file to be moved away");
  ++told_;
  stuck_.erase(&node);
  node.Stop(cluster_.random().Delay(absl::ZeroDuration(), kStopTimeout));
  LoseWhenGone(node, node.life());
}

}  // namespace zrs::simulation
