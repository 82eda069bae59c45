#include "sidecar/replication/handshake.h"

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/replication/id.h"
#include "sidecar/replication/limits.h"
#include "sidecar/replication/lineage.h"

namespace zrs::replication {
namespace {

using filestorage::Boundary;

DecideRefuse Refuse(v1::End::Reason reason, absl::string_view message, absl::string_view remedy) {
  return {MakeEnd(reason, message, remedy)};
}

constexpr absl::string_view kKeepBoth =
    "both files are left as they are. Where the publisher's is right: zrs resync --dry-run on the follower's host says "
    "what of that one would be given up, and zrs resync does it. Where the follower's is right: zrs promote --force "
    "there";

absl::Status ValidateName(absl::string_view what, absl::string_view name) {
  if (name.size() <= kLongestName) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what, " of ", name.size(), " bytes, more than ", kLongestName));
}

// Versions are not looked at: they are what tells whether the rest can be understood.
absl::Status ValidateHello(const v1::Hello& hello) {
  if (absl::Status name = ValidateName("storage name", hello.storage()); !name.ok()) return name;
  if (absl::Status name = ValidateName("follower name", hello.follower_name()); !name.ok()) return name;
  if (absl::Status software = ValidateName("software version", hello.software()); !software.ok()) return software;
  if (hello.node_id().size() != kIdSize) {
    return absl::InvalidArgumentError(absl::StrCat("node id of ", hello.node_id().size(), " bytes, not 16"));
  }
  if (!hello.copy_id().empty() && hello.copy_id().size() != kIdSize) {
    return absl::InvalidArgumentError(absl::StrCat("copy id of ", hello.copy_id().size(), " bytes, not 16"));
  }
  if (absl::Status lineage = ValidateLineage(hello.lineage()); !lineage.ok()) return lineage;
  if (absl::Status position = FromProto(hello.position()).status(); !position.ok()) return position;
  if (!hello.has_rebuild()) return absl::OkStatus();
  if (absl::Status lineage = ValidateLineage(hello.rebuild().lineage()); !lineage.ok()) return lineage;
  return FromProto(hello.rebuild().position()).status();
}

std::string VersionRange(uint32_t lowest, uint32_t highest) {
  return lowest == highest ? absl::StrCat(lowest) : absl::StrCat(lowest, " to ", highest);
}

DecideRefuse RefuseVersion(const v1::Hello& hello) {
  const bool follower_is_old = hello.highest_version() < kLowestProtocolVersion;
  return Refuse(v1::End::REASON_VERSION,
                absl::StrCat("no common protocol version: the follower (zrs ", hello.software(), ") speaks ",
                             VersionRange(hello.lowest_version(), hello.highest_version()), ", the publisher ",
                             VersionRange(kLowestProtocolVersion, kProtocolVersion)),
                follower_is_old ? "upgrade zrs on the follower's host" : "upgrade zrs on the publisher's host");
}

DecideRefuse RefuseRival(v1::End::Reason reason, const v1::Epoch& epoch, const std::string& message,
                         absl::string_view remedy) {
  DecideRefuse refuse = Refuse(reason, message, remedy);
  refuse.end.set_generation(epoch.generation());
  return refuse;
}

// Nothing is in common. A lineage that has forgotten its oldest epochs cannot tell whether the other one is of these.
std::string DescribeStrangers(const v1::Lineage& ours, const v1::Lineage& theirs, const std::string& epochs) {
  const auto forgotten = [&](absl::string_view whose, const v1::Lineage& by, absl::string_view whom) {
    return absl::StrCat(whose, " epoch is none of the last ", by.epochs_size(), " that ", whom,
                        " remembers: it is further behind than that, or of another history: ", epochs);
  };
  const bool follower_is_later = CurrentGeneration(theirs) > CurrentGeneration(ours);
  if (HasForgotten(theirs) && (follower_is_later || !HasForgotten(ours))) {
    return forgotten("the publisher's", theirs, "the follower");
  }
  if (HasForgotten(ours)) return forgotten("the follower's", ours, "the publisher");
  return absl::StrCat("their histories have no epoch in common: ", epochs);
}

DecideRefuse RefuseEpoch(const Publication& publication, const v1::Hello& hello, const Boundary& position) {
  const v1::Lineage& theirs = hello.lineage();
  const v1::Epoch& our_epoch = *CurrentEpoch(publication.lineage);
  const v1::Epoch& their_epoch = *CurrentEpoch(theirs);
  const std::string epochs = absl::StrCat("the follower is in epoch ", DescribeId(their_epoch.id()), " of generation ",
                                          their_epoch.generation(), ", the publisher in ", DescribeId(our_epoch.id()),
                                          " of generation ", our_epoch.generation());
  const int common = CommonEpochs(publication.lineage, theirs);
  // Who shares no epoch shows nothing of a promotion.
  const bool later = common > 0 && their_epoch.generation() > our_epoch.generation();
  if (!hello.yields() && (later || IsPrefixOf(publication.lineage, theirs))) {
    return RefuseRival(v1::End::REASON_SUPERSEDED, their_epoch,
                       absl::StrCat("the publisher is a stale primary: the follower knows later epochs (", epochs, ")"),
                       "find the host that was promoted and let this publisher follow it; where that promotion was a "
                       "mistake: zrs promote --force on the right primary");
  }
  const std::string parted = absl::StrCat(
      common == 0 ? DescribeStrangers(publication.lineage, theirs, epochs)
                  : absl::StrCat("their histories parted after ", common, " common epochs: ", epochs),
      "; the follower has ", DescribePosition(position), ", the publisher ", DescribePosition(publication.end));
  if (!hello.yields() && common > 0 && their_epoch.generation() == our_epoch.generation()) {
    return RefuseRival(v1::End::REASON_CONFLICT, their_epoch,
                       absl::StrCat("there are two primaries of one generation: ", parted), kTwoPrimariesRemedy);
  }
  return Refuse(v1::End::REASON_DIVERGED, parted, kKeepBoth);
}

DecideRefuse RefuseRestored(const Boundary& position) {
  return Refuse(v1::End::REASON_DIVERGED,
                absl::StrCat("the follower has ", DescribePosition(position),
                             ", and the publisher's file is known to have nothing of that: it was restored from a "
                             "backup, on a person's word (zrs adopt --restored), or was promoted while it was empty"),
                kKeepBoth);
}

DecideRefuse RefusePastFork(const v1::Epoch& epoch, const Boundary& position) {
  return Refuse(v1::End::REASON_DIVERGED,
                absl::StrCat("the follower has ", DescribePosition(position), ", but the publisher was promoted at ",
                             DescribePosition(LeftBoundary(epoch)), " and went on from there"),
                kKeepBoth);
}

DecideRefuse RefuseDatabase(const Publication& publication, const v1::Hello& hello, const Boundary& position) {
  const std::string message = absl::StrCat("the follower keeps database ", DescribeId(hello.lineage().database_id()),
                                           ", the publisher serves ", DescribeId(publication.lineage.database_id()));
  // A person told that host to follow: what its file was is not for it to say, and it compares nothing.
  if (hello.yields()) {
    return Refuse(v1::End::REASON_OTHER_DATABASE, absl::StrCat(message, "; and the follower's host was a primary"),
                  "where the publisher is right: stop zrs on the follower's host, move its state file away, the copy "
                  "not, and start it again: its file is compared, adopted if it is the same, and else reported");
  }
  // Without a transaction it shows nothing.
  if (publication.takes_identity == v1::End::TAKES_IDENTITY_NO || position.last_offset == 0) {
    return Refuse(v1::End::REASON_OTHER_DATABASE, message,
                  "check the addresses and storage names in both configurations; to follow this database instead, move "
                  "the follower's state file away: its file is adopted if it is the same, and else reported; where the "
                  "publisher has lost its state, zrs adopt there lets it take the follower's identity");
  }
  const bool told = publication.takes_identity == v1::End::TAKES_IDENTITY_AS_TOLD;
  DecideRefuse refuse = Refuse(
      v1::End::REASON_OTHER_DATABASE,
      absl::StrCat(message, told ? ", and was told to take another identity"
                                 : ", an identity that it has given itself, and that nobody else has"),
      "if all of the follower's file is in the publisher's, the publisher takes the follower's identity; that is "
      "found out by comparing them. Where the two are different databases: zrs adopt --new-database there");
  refuse.end.set_takes_identity(publication.takes_identity);
  return refuse;
}

// What is here now may be the beginning of a file that has all of the follower's, or is a pack of it.
DecideRefuse RefuseUntilComplete(const Publication& publication, const Boundary& position) {
  if (!publication.secondary) {
    return Refuse(v1::End::REASON_NOT_READY,
                  absl::StrCat("the publisher looks through its file, so far up to ", DescribePosition(publication.end),
                               ", and the follower has ", DescribePosition(position)),
                  "none needed: the follower tries again");
  }
  return Refuse(v1::End::REASON_NOT_READY,
                absl::StrCat("the publisher's own copy is not complete yet: it has come up to ",
                             DescribePosition(publication.end), ", and the follower has ", DescribePosition(position)),
                "none needed: the follower tries again. To go on at once, let it follow the publisher's upstream");
}

// The follower's file is one that was replaced when epoch number `replaced` of our lineage began.
HandshakeDecision DecideForReplaced(const Publication& publication, const v1::Hello& hello, const v1::Lineage& theirs,
                                    const Boundary& position, int replaced) {
  const v1::Lineage& ours = publication.lineage;
  const Boundary left = LeftBoundary(ours.epochs(replaced));
  DecideRebuild rebuild{{position, {}, true}, false, std::nullopt};
  for (int i = PositionIn(ours, theirs); i < replaced; ++i) {
    rebuild.position.epochs.push_back(ours.epochs(i).id());
  }
  for (int i = replaced + 1; i < ours.epochs_size(); ++i) {
    if (ours.epochs(i).origin() != v1::Epoch::ORIGIN_FORKED) rebuild.position.just_before = false;
  }
  const int rebuild_epoch = hello.has_rebuild() ? PositionIn(ours, hello.rebuild().lineage()) : -1;
  const bool rebuilding = rebuild_epoch >= replaced;
  if (rebuilding && rebuild_epoch == ours.epochs_size() - 1) {
    const Boundary part = *FromProto(hello.rebuild().position());
    if (part.offset != 0 && part.offset <= publication.end.offset) rebuild.part = part;
  }
  rebuild.proved = position.last_offset == 0 || position == left || rebuilding;
  if (rebuild.proved) return rebuild;
  if (position.offset > left.offset) {
    return Refuse(
        v1::End::REASON_DIVERGED,
        absl::StrCat("the follower has ", DescribePosition(position),
                     ", but the publisher's file was replaced (packed, or restored) when it was known to be at ",
                     DescribePosition(left)),
        kKeepBoth);
  }
  return rebuild;
}

HandshakeDecision DecideForFile(const Publication& publication, const v1::Hello& hello, const v1::Lineage& theirs,
                                const Boundary& position) {
  const v1::Lineage& ours = publication.lineage;
  // Also behind a pack: what was restored then need have nothing of it.
  if (RestoredSince(theirs, position, ours)) return RefuseRestored(position);
  for (int i = PositionIn(ours, theirs) + 1; i < ours.epochs_size(); ++i) {
    const v1::Epoch& later = ours.epochs(i);
    if (later.origin() != v1::Epoch::ORIGIN_FORKED) {
      if (publication.incomplete) return RefuseUntilComplete(publication, position);
      return DecideForReplaced(publication, hello, theirs, position, i);
    }
    if (position.offset > later.left().offset()) return RefusePastFork(later, position);
  }
  if (position.offset > publication.end.offset) {
    if (publication.incomplete) return RefuseUntilComplete(publication, position);
    return Refuse(v1::End::REASON_DIVERGED,
                  absl::StrCat("the follower has ", DescribePosition(position),
                               ", past the publisher's committed end at ", DescribePosition(publication.end)),
                  kKeepBoth);
  }
  return DecideProbe{position};
}

}  // namespace

HandshakeDecision DecideHandshake(const Publication& publication, const v1::Hello& hello) {
  if (publication.end.offset == 0) {
    return Refuse(v1::End::REASON_NOT_READY, "the storage has nothing to serve yet",
                  "none needed: the follower tries again");
  }
  if (hello.lowest_version() == 0 || hello.lowest_version() > hello.highest_version()) {
    return Refuse(
        v1::End::REASON_PROTOCOL,
        absl::StrCat("malformed hello: protocol versions ", hello.lowest_version(), " to ", hello.highest_version()),
        kProtocolRemedy);
  }
  if (hello.lowest_version() > kProtocolVersion || hello.highest_version() < kLowestProtocolVersion) {
    return RefuseVersion(hello);
  }
  if (absl::Status valid = ValidateHello(hello); !valid.ok()) {
    return Refuse(v1::End::REASON_PROTOCOL, absl::StrCat("malformed hello: ", valid.message()), kProtocolRemedy);
  }
  const Boundary position = *FromProto(hello.position());
  const bool has_file = position.offset != 0;
  if (hello.lineage().database_id().empty()) {
    if (hello.inspect() && publication.incomplete && !publication.secondary) {
      return RefuseUntilComplete(publication, position);
    }
    if (hello.inspect()) return DecideInspect{};
    if (!has_file) return DecideCopy{};
    return Refuse(v1::End::REASON_UNPROVED,
                  absl::StrCat("the follower has a file at ", DescribePosition(position),
                               " but no state that tells which database it is"),
                  "restore its state file, or move the follower's file away so that it is copied afresh");
  }
  if (hello.lineage().database_id() != publication.lineage.database_id()) {
    return RefuseDatabase(publication, hello, position);
  }
  if (hello.inspect()) return DecideInspect{};
  const v1::Lineage theirs = LineageToGoOnFrom(hello.lineage(), hello.yields(), position, publication.lineage);
  if (!IsPrefixOf(theirs, publication.lineage)) return RefuseEpoch(publication, hello, position);
  if (!has_file) return DecideCopy{};
  return DecideForFile(publication, hello, theirs, position);
}

v1::End DivergedEnd(const Publication& publication, const Boundary& follower) {
  return MakeEnd(
      v1::End::REASON_DIVERGED,
      absl::StrCat("the follower has ", DescribePosition(follower), ", but the publisher's file, committed up to ",
                   DescribePosition(publication.end), ", has other bytes there"),
      kKeepBoth);
}

v1::End OldPositionEnd(const Boundary& follower) {
  return MakeEnd(
      v1::End::REASON_DIVERGED,
      absl::StrCat("the publisher's file was replaced (packed, or restored) since the follower was at ",
                   DescribePosition(follower),
                   "; that the file of then had this, and the follower has no more, cannot be proved: the publisher "
                   "has that file no more, or it did not have this, and of no follower it is remembered that "
                   "it was there"),
      kKeepBoth);
}

}  // namespace zrs::replication
