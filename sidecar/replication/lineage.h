// Lineages, in the form in which they are sent and kept: what comes from a peer or a file is checked here, once. Pure
// functions; any thread.
#ifndef ZRS_SIDECAR_REPLICATION_LINEAGE_H_
#define ZRS_SIDECAR_REPLICATION_LINEAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "filestorage/boundary.h"
#include "proto/zrs/v1/replication.pb.h"

namespace zrs::replication {

inline constexpr int kMostEpochs = 1024;  // of a lineage
inline constexpr uint64_t kMostGeneration = 1'000'000'000;

// InvalidArgument, naming the field, unless the lineage is empty (no database id, no epochs), or has an id of 16 bytes
// and 1 to kMostEpochs epochs with different ids of 16 bytes, generations that begin above 0, never decrease and are at
// most kMostGeneration, and possible boundaries where their parents were left.
absl::Status ValidateLineage(const v1::Lineage& lineage);

// The epoch that the database is in; null for an empty lineage. Points into `lineage`.
const v1::Epoch* CurrentEpoch(const v1::Lineage& lineage);
// That epoch's generation; 0 for an empty lineage.
uint64_t CurrentGeneration(const v1::Lineage& lineage);

// Begins an epoch. Where the lineage would have more than kMostEpochs the oldest go.
void AddEpoch(v1::Epoch epoch, v1::Lineage* lineage);

// Begins the epoch of a promotion, with this id (16 bytes): its parent is left at `left`, and its generation is above
// the present one and `above`. FailedPrecondition, and nothing is changed, where there is no such generation any more.
absl::Status AddFork(const std::string& id, const filestorage::Boundary& left, uint64_t above, v1::Lineage* lineage);

// How many epochs both know, by their ids: up to the newest that they have in common. 0 for different databases, where
// nothing is in common, and where they contradict each other of the time before. Either may have forgotten its oldest.
int CommonEpochs(const v1::Lineage& a, const v1::Lineage& b);

// Whether the database's first epochs are no longer in it.
bool HasForgotten(const v1::Lineage& lineage);

// Whether an epoch is known to have nothing of its parent: a person put another file in its place (or one was promoted
// that had nothing).
bool IsRestored(const v1::Epoch& epoch);

// Where an epoch's parent was left; `epoch` is one of a lineage that was validated.
filestorage::Boundary LeftBoundary(const v1::Epoch& epoch);

// Where in `longer` the current epoch of `lineage` is: 0 for the first. -1 unless they are of the same database, it is
// there, and both tell the same of the time before (of which either may have forgotten the oldest epochs).
int PositionIn(const v1::Lineage& longer, const v1::Lineage& lineage);

// A follower's lineage as it goes on from it in its publisher's. Promotions that the publisher does not know count no
// more where a later one outvotes them, or the follower yields: their epochs at the end go, as far as nothing was
// written in them. `position`: the follower's committed end.
v1::Lineage LineageToGoOnFrom(const v1::Lineage& follower, bool yields, const filestorage::Boundary& position,
                              const v1::Lineage& publisher);

// Whether what `theirs` has is known to have nothing of the file that `ours` ends with, committed up to `end`: it was
// restored since. False where that has no transaction.
bool RestoredSince(const v1::Lineage& ours, const filestorage::Boundary& end, const v1::Lineage& theirs);

// Whether another file has taken the place of the one that `ours` ends with, committed up to `end`, in `theirs`, which
// goes on from it; false for promotions alone.
bool ReplacedSince(const v1::Lineage& ours, const filestorage::Boundary& end, const v1::Lineage& theirs);

// Where the files that went on from a copy of `lineage`, committed up to `end`, were left when others took their place,
// in `longer`: each of those files had all that the copy has, or is a pack of one that had, on the word of whoever made
// that lineage. Empty where `longer` does not go on from it, or parted from it before `end`, or was restored since.
std::vector<filestorage::Boundary> LeftSince(const v1::Lineage& lineage, const filestorage::Boundary& end,
                                             const v1::Lineage& longer);

// Each may cost a look at every transaction that a new file has since its pack, and a lineage may have a thousand. The
// newest are what the new file is likeliest to have; a follower that was away for more packs than that has resync.
inline constexpr size_t kMostLefts = 16;

// By which of them a follower, committed up to `end`, may prove a file that goes on from its own one: LeftSince of its
// lineage as LineageToGoOnFrom leaves it, those behind `end` by their tid, and of these the newest kMostLefts.
std::vector<filestorage::Boundary> LeftsToProveBy(const v1::Lineage& follower, bool yields,
                                                  const filestorage::Boundary& end, const v1::Lineage& publisher);

// Whether `longer` goes on from where `lineage` is (equal ones count): PositionIn is not -1.
bool IsPrefixOf(const v1::Lineage& lineage, const v1::Lineage& longer);

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_LINEAGE_H_
