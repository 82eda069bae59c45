// Where followers were when they were last seen: what proves the position of one that comes back when the file that it
// was a copy of is gone. Plain values and pure functions; any thread.
#ifndef ZRS_SIDECAR_REPLICATION_KNOWN_FOLLOWERS_H_
#define ZRS_SIDECAR_REPLICATION_KNOWN_FOLLOWERS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "filestorage/boundary.h"
#include "filestorage/digest.h"

namespace zrs::replication {

// Where a follower says that it is, in a file that the publisher's took the place of.
struct OldPosition {
  filestorage::Boundary boundary;
  std::vector<std::string> epochs;  // ids of that file's, from the follower's own one on
  bool just_before = true;          // the publisher's file took the place of that very file, and not of a later one
};

// What a follower's file may end at when it comes back: what it acknowledged last, and each end of what was sent to it
// after that. As marks, each the digest of an epoch's id and a boundary. A publisher that is a secondary is among them
// itself, with the ends of its own files that others took the place of.
struct KnownFollower {
  std::string node_id;  // 16 bytes; another one after each start of the follower
  std::vector<filestorage::Digest> marks;

  friend bool operator==(const KnownFollower&, const KnownFollower&) = default;
};

// Of all that is remembered; what was remembered first is forgotten first.
inline constexpr size_t kMostKnownFollowers = 64;
inline constexpr size_t kMostMarks = 4096;   // of one follower, and of all
inline constexpr size_t kMostOwnMarks = 64;  // of one node, by RememberToo

filestorage::Digest MarkOf(const std::string& epoch, const filestorage::Boundary& boundary);

// Takes the place of what was known of the follower with that node id.
void Remember(KnownFollower follower, std::vector<KnownFollower>* known);

// Beside what is known of that node already, of which the first marks are forgotten where they are too many.
void RememberToo(const std::string& node_id, const filestorage::Digest& mark, std::vector<KnownFollower>* known);

// Whether any of them may have been there: that file had this boundary then.
bool WasThere(const std::vector<KnownFollower>& known, const OldPosition& position);

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_KNOWN_FOLLOWERS_H_
