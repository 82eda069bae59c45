#include "sidecar/replication/lineage.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/id.h"

namespace zrs::replication {
namespace {

absl::Status Malformed(absl::string_view what) { return absl::InvalidArgumentError(what); }

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
  std::set<absl::string_view> seen;
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

void AddFork(const std::string& id, const filestorage::Boundary& left, uint64_t above, v1::Lineage* lineage) {
  v1::Epoch epoch;
  epoch.set_id(id);
  epoch.set_origin(v1::Epoch::ORIGIN_FORKED);
  epoch.set_generation(std::max(CurrentEpoch(*lineage)->generation(), above) + 1);
  *epoch.mutable_left() = ToProto(left);
  AddEpoch(std::move(epoch), lineage);
}

filestorage::Boundary LeftBoundary(const v1::Epoch& epoch) {
  const absl::StatusOr<filestorage::Boundary> left = FromProto(epoch.left());
  return left.ok() ? *left : filestorage::Boundary{};
}

const v1::Epoch* CurrentEpoch(const v1::Lineage& lineage) {
  return lineage.epochs().empty() ? nullptr : &lineage.epochs(lineage.epochs_size() - 1);
}

int CommonEpochs(const v1::Lineage& a, const v1::Lineage& b) {
  if (a.database_id() != b.database_id()) return 0;
  const int most = std::min(a.epochs_size(), b.epochs_size());
  int common = 0;
  while (common < most && a.epochs(common).id() == b.epochs(common).id()) ++common;
  return common;
}

int PositionIn(const v1::Lineage& longer, const v1::Lineage& lineage) {
  const v1::Epoch* current = CurrentEpoch(lineage);
  if (current == nullptr || lineage.database_id() != longer.database_id()) return -1;
  int position = longer.epochs_size() - 1;
  while (position >= 0 && longer.epochs(position).id() != current->id()) --position;
  // What both know of the time before has to be the same. Either may have forgotten its oldest epochs.
  for (int ours = position, theirs = lineage.epochs_size() - 1; ours >= 0 && theirs >= 0; --ours, --theirs) {
    if (longer.epochs(ours).id() != lineage.epochs(theirs).id()) return -1;
  }
  return position;
}

v1::Lineage LineageToGoOnFrom(const v1::Lineage& follower, bool yields, const filestorage::Boundary& position,
                              const v1::Lineage& publisher) {
  v1::Lineage rest = follower;
  if (follower.epochs().empty() || publisher.epochs().empty()) return rest;
  const bool outvoted = CurrentEpoch(follower)->generation() < CurrentEpoch(publisher)->generation();
  const auto known = [&publisher](const v1::Epoch& epoch) {
    return absl::c_any_of(publisher.epochs(), [&epoch](const v1::Epoch& one) { return one.id() == epoch.id(); });
  };
  while ((yields || outvoted) && rest.epochs_size() > 1) {
    const v1::Epoch& last = *CurrentEpoch(rest);
    const bool unused = last.origin() == v1::Epoch::ORIGIN_FORKED && position.offset <= last.left().offset();
    if (!unused || known(last)) break;
    rest.mutable_epochs()->RemoveLast();
  }
  return rest;
}

bool ReplacedSince(const v1::Lineage& ours, const v1::Lineage& theirs) {
  for (int i = PositionIn(theirs, ours) + 1; i < theirs.epochs_size(); ++i) {
    if (theirs.epochs(i).origin() != v1::Epoch::ORIGIN_FORKED) return true;
  }
  return false;
}

std::vector<filestorage::Boundary> LeftSince(const v1::Lineage& lineage, const filestorage::Boundary& end,
                                             const v1::Lineage& longer) {
  std::vector<filestorage::Boundary> lefts;
  const int position = PositionIn(longer, lineage);
  if (position < 0) return lefts;
  for (int i = position + 1; i < longer.epochs_size(); ++i) {
    const filestorage::Boundary left = LeftBoundary(longer.epochs(i));
    // Until the first that took its place it is the same file.
    if (lefts.empty() && end.offset > left.offset) return lefts;
    if (longer.epochs(i).origin() != v1::Epoch::ORIGIN_FORKED) lefts.push_back(left);
  }
  return lefts;
}

bool IsPrefixOf(const v1::Lineage& lineage, const v1::Lineage& longer) { return PositionIn(longer, lineage) >= 0; }

}  // namespace zrs::replication
