#include "sidecar/replication/known_followers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/format.h"

namespace zrs::replication {

using filestorage::Boundary;
using filestorage::Digest;
using filestorage::EncodeUint64;

Digest MarkOf(const std::string& epoch, const Boundary& boundary) {
  return filestorage::DigestOf(absl::StrCat(epoch, EncodeUint64(boundary.offset), EncodeUint64(boundary.last_offset),
                                            EncodeUint64(boundary.tid), boundary.digest.ToBytes()));
}

void Remember(KnownFollower follower, std::vector<KnownFollower>* known) {
  std::erase_if(*known, [&follower](const KnownFollower& other) { return other.node_id == follower.node_id; });
  if (follower.marks.size() > kMostMarks) {
    follower.marks.erase(follower.marks.begin(), follower.marks.end() - kMostMarks);
  }
  known->push_back(std::move(follower));
  size_t marks = 0;
  size_t kept = 0;
  while (kept < std::min(known->size(), kMostKnownFollowers)) {
    marks += (known->end() - 1 - static_cast<std::ptrdiff_t>(kept))->marks.size();
    if (marks > kMostMarks) break;
    ++kept;
  }
  known->erase(known->begin(), known->end() - static_cast<std::ptrdiff_t>(kept));
}

void RememberToo(const std::string& node_id, const Digest& mark, std::vector<KnownFollower>* known) {
  KnownFollower node{node_id, {}};
  const auto before = std::find_if(known->begin(), known->end(),
                                   [&node_id](const KnownFollower& other) { return other.node_id == node_id; });
  if (before != known->end()) node.marks = before->marks;
  node.marks.push_back(mark);
  if (node.marks.size() > kMostOwnMarks) {
    node.marks.erase(node.marks.begin(), node.marks.end() - kMostOwnMarks);
  }
  Remember(std::move(node), known);
}

bool WasThere(const std::vector<KnownFollower>& known, const OldPosition& position) {
  return std::any_of(position.epochs.begin(), position.epochs.end(), [&](const std::string& epoch) {
    const Digest mark = MarkOf(epoch, position.boundary);
    return std::any_of(known.begin(), known.end(), [&mark](const KnownFollower& follower) {
      return std::find(follower.marks.begin(), follower.marks.end(), mark) != follower.marks.end();
    });
  });
}

}  // namespace zrs::replication
