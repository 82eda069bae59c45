#include "sidecar/storage/secondary/upstream_finding.h"

#include <algorithm>
#include <variant>

#include "sidecar/replication/end_message.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/replication/welcome.h"

namespace zrs::storage {
namespace {

using Kind = UpstreamFinding::Kind;

Kind KindOf(const v1::End& end) {
  switch (end.reason()) {
    case v1::End::REASON_SHUTDOWN:
      return Kind::kStops;
    case v1::End::REASON_NO_SUCH_STORAGE:
    case v1::End::REASON_OTHER_DATABASE:
      return Kind::kOther;
    case v1::End::REASON_SUPERSEDED:
      return Kind::kStale;
    case v1::End::REASON_LOOP:
      return Kind::kSecondaryRefuses;
    default:
      break;
  }
  if (end.secondary()) return Kind::kSecondaryRefuses;
  if (end.reason() == v1::End::REASON_DIVERGED) return Kind::kDiverged;
  if (end.reason() == v1::End::REASON_CONFLICT) return Kind::kConflict;
  return Kind::kRefuses;
}

// Only a primary is a rival: what a secondary has may be what was given up since. One that was told of its rival before
// says so in its stead, since the follower may have been lost with that answer; a stale one, in an epoch that the
// follower went on from (packs begin some too, of the same generation), is none.
bool ShowsRival(const replication::Copy& copy, const v1::End& end) {
  const v1::Epoch* own = replication::CurrentEpoch(copy.lineage);
  // A person told a host that yields to follow: what it was is no rival.
  if (own == nullptr || copy.yields || end.secondary()) return false;
  if (end.reason() == v1::End::REASON_CONFLICT) return end.generation() == own->generation();
  if (end.reason() != v1::End::REASON_SUPERSEDED || end.epoch().generation() != own->generation()) return false;
  return !end.epoch().id().empty() &&
         std::none_of(copy.lineage.epochs().begin(), copy.lineage.epochs().end(),
                      [&end](const v1::Epoch& epoch) { return epoch.id() == end.epoch().id(); });
}

}  // namespace

UpstreamFinding FindingOf(const replication::Copy& copy, const v1::End& end) {
  const v1::End clean = replication::MakeEnd(end.reason(), end.message(), end.remedy());
  UpstreamFinding finding{KindOf(end), 0, clean.message(), clean.remedy()};
  finding.takes_identity = end.takes_identity();
  if (ShowsRival(copy, end)) finding.rival_generation = replication::CurrentGeneration(copy.lineage);
  // Of the others what they name is the generation of somebody else.
  const bool own = finding.kind == Kind::kDiverged || finding.kind == Kind::kConflict;
  if (own && end.generation() <= replication::kMostGeneration) finding.generation = end.generation();
  return finding;
}

UpstreamFinding FindingOf(const replication::Copy& copy, const v1::Welcome& welcome) {
  const replication::WelcomeDecision decision = replication::CheckWelcome(copy, welcome);
  if (const auto* refuse = std::get_if<replication::RefuseWelcome>(&decision)) {
    v1::End end = refuse->end;
    end.set_secondary(welcome.secondary());
    return FindingOf(copy, end);
  }
  // What it was promoted to was given up: it is to follow, and finds nobody while that counts for others who look.
  const uint64_t generation = welcome.yields() ? 0 : replication::CurrentGeneration(welcome.lineage());
  if (!welcome.secondary()) return {Kind::kPrimary, generation, "", ""};
  UpstreamFinding finding{Kind::kSecondary, generation, "", ""};
  if (welcome.decision() == v1::Welcome::DECISION_RESUME) finding.end = welcome.committed_end();
  if (!welcome.unheard()) return finding;
  finding.kind = Kind::kUnheard;
  finding.why = "it is a secondary that hears nothing of a primary";
  finding.remedy = "see to the primary; if it is lost, promote one of its secondaries";
  return finding;
}

UpstreamFinding NoAnswer(const std::string& why) {
  return {Kind::kGone, 0, why, "zrs tries again by itself; check that the zrs there runs and can be reached"};
}

bool IsSilent(const UpstreamFinding& finding) {
  return finding.kind == Kind::kUnknown || finding.kind == Kind::kGone || finding.kind == Kind::kStops;
}

bool MayBePrimary(const UpstreamFinding& finding) {
  switch (finding.kind) {
    case Kind::kPrimary:
    case Kind::kDiverged:
    case Kind::kConflict:
    case Kind::kRefuses:
      return true;
    default:
      return false;
  }
}

}  // namespace zrs::storage
