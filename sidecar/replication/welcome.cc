#include "sidecar/replication/welcome.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/replication/handshake.h"
#include "sidecar/replication/id.h"
#include "sidecar/replication/lineage.h"

namespace zrs::replication {
namespace {

using filestorage::Boundary;

absl::Status CheckRebuild(const Copy& copy, const v1::Welcome& welcome, const AcceptWelcome& accept) {
  if (!copy.magic) return absl::InvalidArgumentError("a rebuild, though there is no file here");
  if (!ReplacedSince(copy.lineage, copy.committed, welcome.lineage())) {
    return absl::InvalidArgumentError("a rebuild, though the publisher's file was not replaced");
  }
  if (accept.start == filestorage::FirstBoundary(accept.magic)) return absl::OkStatus();
  const bool ours = copy.rebuild && accept.start == copy.rebuild->committed &&
                    CurrentEpoch(copy.rebuild->lineage)->id() == CurrentEpoch(welcome.lineage())->id();
  if (ours) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a rebuild that begins at ", DescribePosition(accept.start), ", which is not there"));
}

absl::Status CheckDecision(const Copy& copy, const v1::Welcome& welcome, const AcceptWelcome& accept) {
  switch (welcome.decision()) {
    case v1::Welcome::DECISION_COPY:
      if (copy.magic) return absl::InvalidArgumentError("a copy from the start, though there is a file here");
      if (accept.start != filestorage::FirstBoundary(accept.magic)) {
        return absl::InvalidArgumentError("a copy that does not begin behind the magic");
      }
      return absl::OkStatus();
    case v1::Welcome::DECISION_RESUME:
      if (!copy.magic) return absl::InvalidArgumentError("a resumption, though there is no file here");
      if (accept.magic != *copy.magic) return absl::InvalidArgumentError("another magic than this file's");
      if (accept.start != copy.committed) {
        return absl::InvalidArgumentError(absl::StrCat("a resumption at ", DescribePosition(accept.start),
                                                       ", though this file is at ", DescribePosition(copy.committed)));
      }
      if (ReplacedSince(copy.lineage, copy.committed, welcome.lineage())) {
        return absl::InvalidArgumentError("a resumption, though the publisher's file was replaced");
      }
      return absl::OkStatus();
    case v1::Welcome::DECISION_REBUILD:
      return CheckRebuild(copy, welcome, accept);
    default:
      return absl::InvalidArgumentError(absl::StrCat("unknown decision ", static_cast<int>(welcome.decision())));
  }
}

// Whether the publisher's database is the one that `ours` is of.
std::optional<v1::End> CheckIdentity(const v1::Lineage& ours, const v1::Lineage& theirs) {
  if (ours.database_id().empty()) return std::nullopt;
  if (ours.database_id() != theirs.database_id()) {
    return MakeEnd(
        v1::End::REASON_OTHER_DATABASE,
        absl::StrCat("this copy is of database ", DescribeId(ours.database_id()), ", the publisher serves ",
                     DescribeId(theirs.database_id())),
        "check the addresses and storage names in both configurations; to follow this database instead, move "
        "the follower's file and its state file away");
  }
  if (IsPrefixOf(ours, theirs)) return std::nullopt;
  const std::string epochs = absl::StrCat("this copy is in epoch ", DescribeId(CurrentEpoch(ours)->id()),
                                          ", the publisher in ", DescribeId(CurrentEpoch(theirs)->id()));
  if (IsPrefixOf(theirs, ours)) {
    return MakeEnd(v1::End::REASON_SUPERSEDED,
                   absl::StrCat("the publisher is a stale primary: later epochs are known here (", epochs, ")"),
                   "find the host that was promoted and follow it; let this publisher follow it too");
  }
  return MakeEnd(v1::End::REASON_DIVERGED, absl::StrCat("the histories parted: ", epochs),
                 "both files are left as they are; to copy afresh, move the follower's file and its state file away");
}

RefuseWelcome Malformed(const absl::Status& status) {
  return {MakeEnd(v1::End::REASON_PROTOCOL,
                  absl::StrCat("protocol error by the publisher: malformed welcome: ", status.message()),
                  kProtocolRemedy)};
}

}  // namespace

absl::StatusOr<AcceptWelcome> ParseWelcome(const v1::Welcome& welcome) {
  if (welcome.version() < kLowestProtocolVersion || welcome.version() > kProtocolVersion) {
    return absl::InvalidArgumentError(absl::StrCat("protocol version ", welcome.version(), ", which was not offered"));
  }
  if (absl::Status lineage = ValidateLineage(welcome.lineage()); !lineage.ok()) return lineage;
  if (welcome.lineage().database_id().empty()) return absl::InvalidArgumentError("no database id");
  if (welcome.magic().size() != filestorage::kMagicSize) {
    return absl::InvalidArgumentError(absl::StrCat("magic of ", welcome.magic().size(), " bytes, not 4"));
  }
  const absl::StatusOr<filestorage::Magic> magic = filestorage::ParseMagic(welcome.magic());
  if (!magic.ok()) return magic.status();
  const absl::StatusOr<Boundary> start = FromProto(welcome.start());
  if (!start.ok()) return start.status();
  if (welcome.committed_end() < start->offset || welcome.committed_end() > kLargestOffset) {
    return absl::InvalidArgumentError(absl::StrCat("impossible committed end ", welcome.committed_end(),
                                                   " with a start at ", DescribePosition(*start)));
  }
  return AcceptWelcome{*magic, *start, welcome.decision()};
}

WelcomeDecision CheckWelcome(const Copy& as_it_is, const v1::Welcome& welcome) {
  absl::StatusOr<AcceptWelcome> accept = ParseWelcome(welcome);
  if (!accept.ok()) return Malformed(accept.status());
  Copy copy = as_it_is;
  copy.lineage = LineageToGoOnFrom(copy.lineage, copy.yields, copy.committed, welcome.lineage());
  if (std::optional<v1::End> refusal = CheckIdentity(copy.lineage, welcome.lineage())) return RefuseWelcome{*refusal};
  if (absl::Status decision = CheckDecision(copy, welcome, *accept); !decision.ok()) return Malformed(decision);
  return *accept;
}

}  // namespace zrs::replication
