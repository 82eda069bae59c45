#include "sidecar/replication/sent_positions.h"

namespace zrs::replication {

void SentPositions::Add(const filestorage::Boundary& end) {
  if (!positions_.empty() && positions_.back() == end) return;
  if (positions_.size() >= kMostMarks) positions_.pop_front();
  positions_.push_back(end);
}

void SentPositions::Acknowledge(uint64_t offset) {
  while (positions_.size() > 1 && positions_[1].offset <= offset) positions_.pop_front();
}

void SentPositions::AppendMarks(const std::string& epoch, KnownFollower* follower) const {
  for (const filestorage::Boundary& position : positions_) follower->marks.push_back(MarkOf(epoch, position));
}

}  // namespace zrs::replication
