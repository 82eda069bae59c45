// Boundaries in messages and in words: what comes from a peer is checked here, once. Pure functions; any thread.
#ifndef ZRS_SIDECAR_REPLICATION_BOUNDARY_MESSAGE_H_
#define ZRS_SIDECAR_REPLICATION_BOUNDARY_MESSAGE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "filestorage/boundary.h"
#include "proto/zrs/v1/replication.pb.h"

namespace zrs::replication {

// No file is longer, in bytes: offsets are signed 64-bit numbers to the operating system.
inline constexpr uint64_t kLargestOffset = INT64_MAX;

v1::Boundary ToProto(const filestorage::Boundary& boundary);

// InvalidArgument, naming the field, unless the shape is one that a boundary can have: all zero with an empty digest
// (no file); offset 4, no last transaction, a digest of 16 bytes; or a last transaction of at least 31 bytes that
// begins at 4 or later, an offset of at most kLargestOffset, and such a digest. Whether a file has it is another
// question.
absl::StatusOr<filestorage::Boundary> FromProto(const v1::Boundary& boundary);

// "offset 1234 (tid 03f2a1b2c3d4e5f6)", "offset 4 (no transactions)", "no file".
std::string DescribePosition(const filestorage::Boundary& boundary);

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_BOUNDARY_MESSAGE_H_
