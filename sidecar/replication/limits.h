// Bounds that both sides of a connection hold to.
#ifndef ZRS_SIDECAR_REPLICATION_LIMITS_H_
#define ZRS_SIDECAR_REPLICATION_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace zrs::replication {

// What is on its way to a follower, in bytes: a batch is sent if it begins less than this past what the follower says
// that it has taken. The transport's own window may be larger by far, and what it lets in is the follower's memory.
inline constexpr uint64_t kMostOnTheWay = 4 << 20;

// What the digest of one range is asked for, by who inspects, in bytes.
inline constexpr uint64_t kMostInspected = 16 << 20;

inline constexpr size_t kLongestName = 1024;  // of a storage's name and of a software version, in bytes

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_LIMITS_H_
