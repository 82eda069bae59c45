// Between messages and the values that the sidecar computes with: what comes from a peer is checked here, once.
// Pure functions; any thread.
#ifndef ZRS_SIDECAR_REPLICATION_WIRE_H_
#define ZRS_SIDECAR_REPLICATION_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "filestorage/boundary.h"
#include "filestorage/format.h"
#include "proto/zrs/v1/replication.pb.h"

namespace zrs::replication {

inline constexpr size_t kIdSize = 16;  // of database, epoch and node ids, in bytes
// No file is longer: offsets are signed 64-bit numbers to the operating system.
inline constexpr uint64_t kLargestOffset = INT64_MAX;
// What is on its way to a follower: a batch is sent if it begins less than this past what the follower says that it has
// taken. The transport's own window may be larger by far, and what it lets in is the follower's memory.
inline constexpr uint64_t kMostOnTheWay = 4 << 20;
inline constexpr int kMostEpochs = 1024;            // of a lineage
inline constexpr int kLongestPath = 64;             // of a heartbeat, in nodes
inline constexpr uint64_t kMostMicros = INT64_MAX;  // of a heartbeat's age and of its interval
inline constexpr size_t kLongestEndText = 4096;     // of an End's message and of its remedy, in bytes
inline constexpr size_t kLongestName = 1024;        // of a storage's name and of a software version, in bytes

// What to do about a message that makes no sense.
inline constexpr absl::string_view kProtocolRemedy =
    "the connection is made again by itself; if this persists, run the same zrs release on both hosts and report it";

// ---- Boundaries

v1::Boundary ToProto(const filestorage::Boundary& boundary);

// InvalidArgument, naming the field, unless the shape is one that a boundary can have: all zero with an empty digest
// (no file); offset 4, no last transaction, a digest of 16 bytes; or a last transaction of at least 31 bytes that
// begins at 4 or later, an offset of at most kLargestOffset, and such a digest. Whether a file has it is another
// question.
absl::StatusOr<filestorage::Boundary> FromProto(const v1::Boundary& boundary);

// ---- Lineages

// InvalidArgument, naming the field, unless the lineage is empty (no database id, no epochs), or has an id of 16 bytes
// and 1 to kMostEpochs epochs with different ids of 16 bytes, generations that begin above 0 and never decrease, and
// possible boundaries where their parents were left.
absl::Status ValidateLineage(const v1::Lineage& lineage);

// The epoch that the database is in; null for an empty lineage. Points into `lineage`.
const v1::Epoch* CurrentEpoch(const v1::Lineage& lineage);

// Begins an epoch. Where the lineage would have more than kMostEpochs the oldest go.
void AddEpoch(v1::Epoch epoch, v1::Lineage* lineage);

// How many epochs both begin with, by their ids; 0 for different databases.
int CommonEpochs(const v1::Lineage& a, const v1::Lineage& b);

// Where an epoch's parent was left; `epoch` is one of a lineage that was validated.
filestorage::Boundary LeftBoundary(const v1::Epoch& epoch);

// Where in `longer` the current epoch of `lineage` is: 0 for the first. -1 unless they are of the same database, it is
// there, and both tell the same of the time before (of which either may have forgotten the oldest epochs).
int PositionIn(const v1::Lineage& longer, const v1::Lineage& lineage);

// Whether `longer` goes on from where `lineage` is (equal ones count): PositionIn is not -1.
bool IsPrefixOf(const v1::Lineage& lineage, const v1::Lineage& longer);

// ---- Other messages

// InvalidArgument unless the path has 1 to kLongestPath node ids of 16 bytes, committed_end is a possible one, and the
// interval (above 0) and the age are at most kMostMicros.
absl::Status ValidateHeartbeat(const v1::Heartbeat& heartbeat);

// An End with texts as text::Clean leaves them, of at most kLongestEndText bytes.
v1::End MakeEnd(v1::End::Reason reason, absl::string_view message, absl::string_view remedy);

// ---- For people

// "offset 1234 (tid 03f2a1b2c3d4e5f6)", "offset 4 (no transactions)", "no file".
std::string DescribePosition(const filestorage::Boundary& boundary);

// Lower-case hex digits of an id; "none" for an empty one.
std::string DescribeId(absl::string_view id);

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_WIRE_H_
