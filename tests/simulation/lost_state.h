// An administrator whose hosts lose what their zrs have noted, and who types what they tell him then.
#ifndef ZRS_TESTS_SIMULATION_LOST_STATE_H_
#define ZRS_TESTS_SIMULATION_LOST_STATE_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "proto/zrs/v1/admin.pb.h"
#include "tests/simulation/adoption.h"
#include "tests/simulation/cluster.h"
#include "tests/simulation/node.h"

namespace zrs::simulation {

// A state directory is emptied while its process is down: killed, stopped in order, or gone with its host. A promoted
// primary's configuration is corrected before it starts again, as the refusal of its database's lock tells.
//
// A secondary that has diverged is resynced, by Administrator. What is done here is what the remedies tell:
//
//   no identity yet   a secondary is told that the primary takes its identity: nothing, that is found out by comparing
//   refuted           it has other bytes: the primary is a database of its own (zrs adopt --new-database), and the
//                     secondary's state is moved away, so that it is compared with it
//   settled           another secondary has the new identity: this one's state is moved away, or the primary is told to
//                     take an identity all the same (zrs adopt)
//   several addresses as the status of the primary says
class LostState {
 public:
  // The cluster outlives it.
  explicit LostState(Cluster& cluster) : cluster_(cluster), adoption_(cluster) {}

  // Of the primary, or of it and a secondary at once. Nothing where that cannot be begun now.
  void BeginAtPrimary();
  void BeginAtSecondary(Node& node);
  // What the node says of itself. True where that is as it has to be at present, and nothing else is to be judged.
  bool Judge(Node& node, const v1::StorageStatus& status);
  // Whether a copy that nobody knows may have other bytes than whoever it is compared with; or the copy is of an epoch
  // that the primary has lost with its state, and whoever told it which database it is did not know of.
  bool MayDiffer(Node& node) const { return differ_.contains(&node) || IsOfForgottenEpoch(node); }
  // From now on the primary is not disturbed while it is told.
  void SetCalm() { adoption_.SetCalm(); }

  // How often a primary, or a secondary, lost its state.
  uint64_t primaries() const { return primaries_; }
  uint64_t secondaries() const { return secondaries_; }
  // How often somebody had to type something.
  uint64_t told() const { return told_; }

 private:
  bool MayBegin() const;
  void End(Node& node);
  void LoseWhenGone(Node& node, uint64_t life);
  void Lose(Node& node);
  bool IsOfForgottenEpoch(Node& node) const;
  void LookAtCopy(Node& node);
  void Mend(Node& node, const std::string& remedy);
  void Tell(v1::AdoptRequest::As as);
  void MoveStateAway(Node& node);

  Cluster& cluster_;
  Adoption adoption_;
  std::set<const Node*> unknown_;     // who lost their state, until a primary has one again and a secondary follows
  std::set<const Node*> differ_;      // see MayDiffer
  std::map<const Node*, int> stuck_;  // looks in a row that found a secondary of another database than its upstream
  std::string takes_identity_;        // what the primary's status said last
  uint64_t primaries_ = 0;
  uint64_t secondaries_ = 0;
  uint64_t told_ = 0;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_LOST_STATE_H_
