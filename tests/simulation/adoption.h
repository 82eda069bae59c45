// An administrator tells a primary which database its file is (zrs adopt).
#ifndef ZRS_TESTS_SIMULATION_ADOPTION_H_
#define ZRS_TESTS_SIMULATION_ADOPTION_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "proto/zrs/v1/admin.pb.h"
#include "tests/simulation/cluster.h"
#include "tests/simulation/node.h"

namespace zrs::simulation {

// Its process, or its host, may not live through that. One at a time.
class Adoption {
 public:
  // The cluster outlives it.
  explicit Adoption(Cluster& cluster) : cluster_(cluster) {}

  // Nothing where the primary does not run, or has not answered the last time. `done` gets the answer, if one comes.
  void Tell(v1::AdoptRequest::As as,
            std::function<void(Node& primary, const absl::StatusOr<std::string>& answer)> done);
  // No answer is waited for any more.
  void Forget() { asked_ = nullptr; }
  // From now on the primary is not disturbed while it is told.
  void SetCalm() { calm_ = true; }

 private:
  Cluster& cluster_;
  bool calm_ = false;
  const Node* asked_ = nullptr;  // in its process `life_`, which has not answered
  uint64_t life_ = 0;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_ADOPTION_H_
