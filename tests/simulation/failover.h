// An administrator who takes the database from the primary's host to a secondary's.
#ifndef ZRS_TESTS_SIMULATION_FAILOVER_H_
#define ZRS_TESTS_SIMULATION_FAILOVER_H_

#include <cstdint>
#include <string>

#include "proto/zrs/v1/admin.pb.h"
#include "tests/simulation/cluster.h"
#include "tests/simulation/node.h"

namespace zrs::simulation {

// One failover, or orderly switch-over, at a time; the seed chooses. The writer stops first. Where the promotion is
// refused, or the process ends on the way without one, everything goes on as before.
//
//   lost        what was committed, and was promised to be there, is not in the promoted file: of a switch-over in
//               order all, else what that host has acknowledged (which the checker looks after)
class Failover {
 public:
  // The cluster outlives it.
  explicit Failover(Cluster& cluster) : cluster_(cluster) {}

  // To `node`, a secondary. Nothing where that cannot be begun now.
  void Begin(Node& node);
  // Whether a secondary has diverged from one of two that were promoted by somebody who did not let them know of each
  // other: the earlier one is told to follow in its time; or the one that has the database is not the later one, until
  // a person says that it is right, and the secondary hears of it. Its file becomes equal too.
  bool MeetsRival(Node& node, const v1::StorageStatus& status);
  uint64_t promotions() const { return promotions_; }

 private:
  void StopOldHost();
  void Promote();
  void OnAnswer(const v1::PromotedStorage& answer);
  // Looks every now and then what came of it; the process may have been killed at any moment.
  void Watch();
  void Complete();
  void GiveUp(const std::string& why);

  Cluster& cluster_;
  Node* node_ = nullptr;
  bool in_order_ = false;
  bool asked_ = false;     // the promotion is under way, in the process `life_`
  bool promised_ = false;  // it was answered that all of the old primary is here
  uint64_t life_ = 0;
  uint64_t promotions_ = 0;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_FAILOVER_H_
