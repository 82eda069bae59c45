// Where a follower's file may end, as far as its publisher can know.
#ifndef ZRS_SIDECAR_REPLICATION_SENT_POSITIONS_H_
#define ZRS_SIDECAR_REPLICATION_SENT_POSITIONS_H_

#include <cstdint>
#include <deque>
#include <string>

#include "filestorage/boundary.h"
#include "sidecar/replication/known_followers.h"

namespace zrs::replication {

// What the follower acknowledged as durable, and the end of the whole transactions of each message that it was sent
// after that: a follower commits at such an end. Bounded: of more than kMostMarks the first are forgotten. Not
// thread-safe.
class SentPositions {
 public:
  // The position at which a stream goes on, or that it comes to with a message; never one before the last.
  void Add(const filestorage::Boundary& end);
  // All before the last position up to `offset` are over.
  void Acknowledge(uint64_t offset);
  void AppendMarks(const std::string& epoch, KnownFollower* follower) const;

 private:
  std::deque<filestorage::Boundary> positions_;
};

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_SENT_POSITIONS_H_
