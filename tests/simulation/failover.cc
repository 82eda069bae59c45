#include "tests/simulation/failover.h"

#include <optional>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/role.h"

namespace zrs::simulation {
namespace {

constexpr absl::Duration kLookInterval = absl::Milliseconds(500);
constexpr absl::Duration kStopTimeout = absl::Seconds(5);
constexpr absl::Duration kPatience = absl::Seconds(15);

}  // namespace

void Failover::Begin(Node& node) {
  if (cluster_.failing_over() || cluster_.has_backup() || cluster_.restoring()) return;
  if (cluster_.writer().packing() || !node.running() || cluster_.IsStale(node)) return;
  node_ = &node;
  asked_ = false;
  promised_ = false;
  in_order_ = cluster_.primary().running() && cluster_.random().OneIn(2);
  cluster_.log().Add("schedule", absl::StrCat(in_order_ ? "switches over" : "fails over", " to ", node.name()));
  cluster_.SetFailingOver(true);
  cluster_.writer().Kill();
  StopOldHost();
  cluster_.queue().Add(cluster_.random().Delay(absl::ZeroDuration(), absl::Seconds(3)), [this] { Promote(); });
  Watch();
}

void Failover::StopOldHost() {
  Node& primary = cluster_.primary();
  if (in_order_) return primary.Stop(kStopTimeout);
  primary.Crash(/*host_too=*/false);
}

void Failover::Promote() {
  if (!node_->running()) return GiveUp("it is not running");
  asked_ = true;
  life_ = node_->life();
  const bool force = !in_order_ && cluster_.random().OneIn(2);
  const auto upstream = in_order_ ? v1::PromoteRequest::UPSTREAM_WAIT_UNTIL_GONE
                        : force   ? v1::PromoteRequest::UPSTREAM_NO_MATTER
                                  : v1::PromoteRequest::UPSTREAM_MUST_BE_GONE;
  const absl::Duration begun = cluster_.queue().now();
  node_->Promote(
      upstream, [this, begun] { return cluster_.queue().now() - begun < kPatience; },
      [this](const v1::PromotedStorage& answer) { OnAnswer(answer); });
}

void Failover::OnAnswer(const v1::PromotedStorage& answer) {
  if (!asked_) return;
  asked_ = false;
  if (answer.result() != v1::PromotedStorage::RESULT_PROMOTED) return GiveUp(answer.message());
  // A process that nobody was let to is not what was seen to stop.
  promised_ = in_order_ && cluster_.checker().IsKnown(*node_, cluster_.primary());
  Complete();
}

void Failover::Watch() {
  cluster_.queue().Add(kLookInterval, [this] {
    if (!cluster_.failing_over()) return;
    const bool ended = asked_ && node_->life() != life_ && node_->running();
    if (!ended) {
      // One that was stopped in order is not there to answer; the person has it started again.
      if (asked_ && node_->gone()) cluster_.StartLater(*node_, absl::ZeroDuration());
      return Watch();
    }
    asked_ = false;
    const auto disk = node_->disk().Clone();
    const absl::StatusOr<bool> promoted = storage::WasPromoted(*disk, kStatePath);
    if (!promoted.ok()) return cluster_.log().Violation(node_->name(), "cannot tell whether it was promoted");
    if (*promoted) return Complete();
    GiveUp("its process ended before it was promoted");
  });
}

void Failover::Complete() {
  const std::optional<size_t> epoch = cluster_.checker().EpochOfCopy(*node_);
  if (!epoch) return cluster_.log().Violation(node_->name(), "is promoted, and has not the primary's file of any time");
  const size_t committed = cluster_.writer().history().size();
  cluster_.MoveWriter(*node_, *epoch, in_order_);
  ++promotions_;
  if (promised_ && cluster_.writer().history().size() != committed) {
    cluster_.log().Violation(node_->name(),
                             absl::StrCat("lost: the switch-over promised all of ", committed, " bytes"));
  }
  cluster_.SetFailingOver(false);
  cluster_.OpenWriterLater(absl::ZeroDuration());
}

bool Failover::MeetsRival(Node& node, const v1::StorageStatus& status) {
  if (node.is_primary() || promotions_ < 2) return false;
  const absl::string_view why = status.error().message();
  if (absl::StrContains(why, "two primaries of one generation")) return true;
  const uint64_t known = replication::CurrentGeneration(node.LineageOnDisk());
  const v1::Lineage right = cluster_.primary().LineageOnDisk();
  return absl::c_any_of(cluster_.nodes(), [&](const auto& other) {
    if (other->is_primary() || !other->was_primary()) return false;
    const v1::Lineage theirs = other->LineageOnDisk();
    return replication::CurrentGeneration(theirs) > known && !replication::IsPrefixOf(theirs, right) &&
           absl::StartsWith(why, absl::StrCat("upstream ", other->name(), ":"));
  });
}

void Failover::GiveUp(const std::string& why) {
  cluster_.log().Add("schedule", absl::StrCat("gives the promotion of ", node_->name(), " up: ", why));
  cluster_.SetFailingOver(false);
  cluster_.StartLater(cluster_.primary(), absl::ZeroDuration());
  cluster_.OpenWriterLater(absl::ZeroDuration());
}

}  // namespace zrs::simulation
