// The message that ends a connection and tells the peer, and the people behind it, why. Pure functions; any thread.
#ifndef ZRS_SIDECAR_REPLICATION_END_MESSAGE_H_
#define ZRS_SIDECAR_REPLICATION_END_MESSAGE_H_

#include <cstddef>

#include "absl/strings/string_view.h"
#include "proto/zrs/v1/replication.pb.h"

namespace zrs::replication {

inline constexpr size_t kLongestEndText = 4096;  // of its message and of its remedy, in bytes

// What to do about a message that makes no sense.
inline constexpr absl::string_view kProtocolRemedy =
    "the connection is made again by itself; if this persists, run the same zrs release on both hosts and report it";

// What a follower's host is told to do about two primaries.
inline constexpr absl::string_view kTwoPrimariesRemedy =
    "decide which of the two primaries is right, and type zrs promote --force on that one; make the other its "
    "secondary (zrs demote there, or replicate-from in its configuration). Nothing is to be typed on a secondary: it "
    "goes on by itself, unless it has what the right one has not";

// What is wrong and what to do about it, as text::Clean leaves it: both may quote a peer. Each is cut at
// kLongestEndText.
v1::End MakeEnd(v1::End::Reason reason, absl::string_view message, absl::string_view remedy);

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_END_MESSAGE_H_
