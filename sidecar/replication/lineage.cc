#include "sidecar/replication/lineage.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/id.h"

namespace zrs::replication {
namespace {

using Ids = absl::flat_hash_set<absl::string_view>;

absl::Status Malformed(absl::string_view what) { return absl::InvalidArgumentError(what); }

// They point into `lineage`.
Ids IdsOf(const v1::Lineage& lineage) {
  Ids ids;
  for (const v1::Epoch& epoch : lineage.epochs()) ids.insert(epoch.id());
  return ids;
}

// Whether both tell the same of the time up to these two epochs. Either may have forgotten its oldest ones.
bool SameUntil(const v1::Lineage& a, int a_last, const v1::Lineage& b, int b_last) {
  for (; a_last >= 0 && b_last >= 0; --a_last, --b_last) {
    if (a.epochs(a_last).id() != b.epochs(b_last).id()) return false;
  }
  return true;
}

}  // namespace

absl::Status ValidateLineage(const v1::Lineage& lineage) {
  if (lineage.database_id().empty()) {
    return lineage.epochs().empty() ? absl::OkStatus() : Malformed("lineage with epochs but without a database id");
  }
  if (lineage.database_id().size() != kIdSize) {
    return Malformed(absl::StrCat("database id of ", lineage.database_id().size(), " bytes, not 16"));
  }
  if (lineage.epochs().empty()) return Malformed("lineage with a database id but without epochs");
  if (lineage.epochs_size() > kMostEpochs) {
    return Malformed(
        absl::StrCat("lineage of ", lineage.epochs_size(), " epochs; this release understands at most ", kMostEpochs));
  }
  Ids seen;
  uint64_t generation = 1;
  for (const v1::Epoch& epoch : lineage.epochs()) {
    if (epoch.id().size() != kIdSize)
      return Malformed(absl::StrCat("epoch id of ", epoch.id().size(), " bytes, not 16"));
    if (!seen.insert(epoch.id()).second)
      return Malformed("lineage that names an epoch twice: " + DescribeId(epoch.id()));
    if (absl::Status left = FromProto(epoch.left()).status(); !left.ok()) return left;
    if (epoch.generation() < generation) {
      return Malformed(
          absl::StrCat("epoch of generation ", epoch.generation(), " where at least ", generation, " is due"));
    }
    generation = epoch.generation();
    if (generation > kMostGeneration) {
      return Malformed(absl::StrCat("epoch of generation ", generation, ", more than ", kMostGeneration));
    }
  }
  return absl::OkStatus();
}

void AddEpoch(v1::Epoch epoch, v1::Lineage* lineage) {
  *lineage->add_epochs() = std::move(epoch);
  const int surplus = lineage->epochs_size() - kMostEpochs;
  if (surplus > 0) lineage->mutable_epochs()->DeleteSubrange(0, surplus);
}

absl::Status AddFork(const std::string& id, const filestorage::Boundary& left, uint64_t above, v1::Lineage* lineage) {
  const uint64_t present = std::max(CurrentGeneration(*lineage), above);
  if (present >= kMostGeneration) {
    return absl::FailedPreconditionError(absl::StrCat(
        "begin a generation above ", present, ": there is none above ", kMostGeneration,
        ", which no number of promotions comes to; a peer told it, and is no zrs or has a damaged state file; move "
        "this storage's state file away, and let its secondaries prove their copies anew"));
  }
  v1::Epoch epoch;
  epoch.set_id(id);
  epoch.set_origin(v1::Epoch::ORIGIN_FORKED);
  epoch.set_generation(present + 1);
  *epoch.mutable_left() = ToProto(left);
  AddEpoch(std::move(epoch), lineage);
  return absl::OkStatus();
}

bool IsRestored(const v1::Epoch& epoch) {
  return epoch.origin() == v1::Epoch::ORIGIN_FORKED && epoch.left().last_offset() == 0;
}

filestorage::Boundary LeftBoundary(const v1::Epoch& epoch) {
  const absl::StatusOr<filestorage::Boundary> left = FromProto(epoch.left());
  return left.ok() ? *left : filestorage::Boundary{};
}

const v1::Epoch* CurrentEpoch(const v1::Lineage& lineage) {
  return lineage.epochs().empty() ? nullptr : &lineage.epochs(lineage.epochs_size() - 1);
}

uint64_t CurrentGeneration(const v1::Lineage& lineage) {
  const v1::Epoch* epoch = CurrentEpoch(lineage);
  return epoch == nullptr ? 0 : epoch->generation();
}

int CommonEpochs(const v1::Lineage& a, const v1::Lineage& b) {
  if (a.database_id() != b.database_id()) return 0;
  const Ids known = IdsOf(b);
  int last = a.epochs_size() - 1;
  while (last >= 0 && !known.contains(a.epochs(last).id())) --last;
  if (last < 0) return 0;
  int other = b.epochs_size() - 1;
  while (b.epochs(other).id() != a.epochs(last).id()) --other;
  return SameUntil(a, last, b, other) ? std::min(last, other) + 1 : 0;
}

bool HasForgotten(const v1::Lineage& lineage) {
  return !lineage.epochs().empty() && lineage.epochs(0).origin() != v1::Epoch::ORIGIN_FIRST;
}

int PositionIn(const v1::Lineage& longer, const v1::Lineage& lineage) {
  const v1::Epoch* current = CurrentEpoch(lineage);
  if (current == nullptr || lineage.database_id() != longer.database_id()) return -1;
  int position = longer.epochs_size() - 1;
  while (position >= 0 && longer.epochs(position).id() != current->id()) --position;
  return SameUntil(longer, position, lineage, lineage.epochs_size() - 1) ? position : -1;
}

v1::Lineage LineageToGoOnFrom(const v1::Lineage& follower, bool yields, const filestorage::Boundary& position,
                              const v1::Lineage& publisher) {
  v1::Lineage rest = follower;
  if (follower.epochs().empty() || publisher.epochs().empty()) return rest;
  const bool outvoted = CurrentGeneration(follower) < CurrentGeneration(publisher);
  const Ids known = IdsOf(publisher);
  while ((yields || outvoted) && rest.epochs_size() > 1) {
    const v1::Epoch& last = *CurrentEpoch(rest);
    const bool unused = last.origin() == v1::Epoch::ORIGIN_FORKED && position.offset <= last.left().offset();
    if (!unused || known.contains(last.id())) break;
    rest.mutable_epochs()->RemoveLast();
  }
  return rest;
}

bool RestoredSince(const v1::Lineage& ours, const filestorage::Boundary& end, const v1::Lineage& theirs) {
  const auto later = theirs.epochs().begin() + PositionIn(theirs, ours) + 1;
  return end.last_offset > 0 && std::any_of(later, theirs.epochs().end(), IsRestored);
}

bool ReplacedSince(const v1::Lineage& ours, const filestorage::Boundary& end, const v1::Lineage& theirs) {
  const auto later = theirs.epochs().begin() + PositionIn(theirs, ours) + 1;
  return RestoredSince(ours, end, theirs) || std::any_of(later, theirs.epochs().end(), [](const v1::Epoch& epoch) {
           return epoch.origin() != v1::Epoch::ORIGIN_FORKED;
         });
}

std::vector<filestorage::Boundary> LeftSince(const v1::Lineage& lineage, const filestorage::Boundary& end,
                                             const v1::Lineage& longer) {
  std::vector<filestorage::Boundary> lefts;
  const int position = PositionIn(longer, lineage);
  if (position < 0 || RestoredSince(lineage, end, longer)) return lefts;
  for (int i = position + 1; i < longer.epochs_size(); ++i) {
    const filestorage::Boundary left = LeftBoundary(longer.epochs(i));
    // Until the first that took its place it is the same file.
    if (lefts.empty() && end.offset > left.offset) return lefts;
    if (longer.epochs(i).origin() != v1::Epoch::ORIGIN_FORKED) lefts.push_back(left);
  }
  return lefts;
}

std::vector<filestorage::Boundary> LeftsToProveBy(const v1::Lineage& follower, bool yields,
                                                  const filestorage::Boundary& end, const v1::Lineage& publisher) {
  std::vector<filestorage::Boundary> lefts =
      LeftSince(LineageToGoOnFrom(follower, yields, end, publisher), end, publisher);
  std::erase_if(lefts, [&end](const filestorage::Boundary& left) { return left.tid <= end.tid; });
  const size_t surplus = lefts.size() > kMostLefts ? lefts.size() - kMostLefts : 0;
  lefts.erase(lefts.begin(), lefts.begin() + static_cast<std::ptrdiff_t>(surplus));
  return lefts;
}

bool IsPrefixOf(const v1::Lineage& lineage, const v1::Lineage& longer) { return PositionIn(longer, lineage) >= 0; }

}  // namespace zrs::replication
