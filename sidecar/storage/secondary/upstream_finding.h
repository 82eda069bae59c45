// What an address that a secondary might follow turned out to be when it was looked at. Pure functions; any thread.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_FINDING_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_FINDING_H_

#include <cstdint>
#include <string>

#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/replication/copy.h"

namespace zrs::storage {

struct UpstreamFinding {
  enum class Kind {
    kUnknown,           // not looked at yet
    kGone,              // nothing answers there
    kStops,             // it says that it stops
    kPrimary,           // a primary that would let this follower in
    kSecondary,         // a secondary that would, and hears its primary
    kUnheard,           // a secondary that would, and hears nothing of a primary
    kStale,             // it is of an earlier generation than this follower
    kDiverged,          // a primary whose file is not a continuation of this follower's
    kConflict,          // a primary of the same generation in another epoch
    kOther,             // nothing of this database
    kSecondaryRefuses,  // a secondary that does not let this follower in, for having less, for one
    kRefuses,           // whoever it is does not let this follower in now: perhaps a primary
  };
  Kind kind = Kind::kUnknown;
  uint64_t generation = 0;  // of the epoch that it is in; 0: it did not tell
  // Why it cannot be followed and what to do about that, for a person; empty where it could be.
  std::string why = "it was not looked at yet";
  std::string remedy = "";
  uint64_t end = 0;  // of a secondary from which this follower could go on as it is: where its file ends
  // Of kOther: as it says.
  v1::End::TakesIdentity takes_identity = v1::End::TAKES_IDENTITY_NO;
  // What it is, or was, shows that there are two primaries of the generation that this follower's copy is of, this one
  // and another; 0: it does not.
  uint64_t rival_generation = 0;
};

// `copy`: what the hello told.
UpstreamFinding FindingOf(const replication::Copy& copy, const v1::Welcome& welcome);
UpstreamFinding FindingOf(const replication::Copy& copy, const v1::End& end);
// There was no answer.
UpstreamFinding NoAnswer(const std::string& why);

// It has told nothing.
bool IsSilent(const UpstreamFinding& finding);

// It answered, and may be a primary of this database that nobody has outdone: a second one would be one too many.
bool MayBePrimary(const UpstreamFinding& finding);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_FINDING_H_
