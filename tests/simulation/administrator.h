// An administrator who sees to copies that do not go on by themselves.
#ifndef ZRS_TESTS_SIMULATION_ADMINISTRATOR_H_
#define ZRS_TESTS_SIMULATION_ADMINISTRATOR_H_

#include <cstdint>
#include <map>
#include <string>

#include "proto/zrs/v1/admin.pb.h"
#include "tests/simulation/cluster.h"
#include "tests/simulation/node.h"

namespace zrs::simulation {

// In some runs a copy that has diverged is resynced: what that would do is asked first, and then it is done, which the
// process or its host may not live through; in others, and where a storage is stopped, or its resync is refused again
// and again, the copy is taken away for a new one.
class Administrator {
 public:
  // The cluster outlives it.
  explicit Administrator(Cluster& cluster);

  // The copy of `node` is `diverged`, or its storage is stopped, and for a good reason: `why`.
  void Mend(Node& node, bool diverged, const std::string& why);
  // Whether a resync of it was begun, and nobody knows yet that it came to an end: to be diverged is right meanwhile.
  bool IsMending(const Node& node) const { return resyncs_.contains(&node); }
  // The node was seen to be as it should.
  void OnWell(const Node& node);
  // From now on resyncs are not disturbed.
  void SetCalm() { calm_ = true; }

  uint64_t new_copies() const { return new_copies_; }
  uint64_t resyncs() const { return done_; }

 private:
  struct Resync {
    uint64_t life = 0;   // the process that was asked
    bool asked = false;  // and has not answered
    int refused = 0;     // how often
  };

  void AskFirst(Node& node);
  void GiveUp(Node& node);
  void OnGivenUp(Node& node, const v1::ResyncResponse& answer);
  void OnRefused(Node& node, const v1::ResyncResponse& answer);
  void MakeNewCopy(Node& node, const std::string& why);

  Cluster& cluster_;
  const bool resyncs_copies_;  // in this run
  bool calm_ = false;
  std::map<const Node*, Resync> resyncs_;
  uint64_t new_copies_ = 0;
  uint64_t done_ = 0;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_ADMINISTRATOR_H_
