// A client of the primary that waits until its commits are durable on followers.
#ifndef ZRS_TESTS_SIMULATION_WAIT_CLIENT_H_
#define ZRS_TESTS_SIMULATION_WAIT_CLIENT_H_

#include <cstdint>
#include <map>
#include <vector>

#include "proto/zrs/v1/admin.pb.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/cluster.h"
#include "tests/simulation/node.h"

namespace zrs::simulation {

// Asks now and then, for some number of followers, and reports to the log's Violation:
//
//   wait     when it returns, what was committed when it was asked is durable on so many that have followed this
//            process of the primary
//            process of the primary; not, once the primary knows that it goes on from a backup without that
//   missing  what it returned for is in the primary's file at the end, and in that of each host that had it durably
//            then and was promoted later; a promotion of another host may leave it out, and a restored backup
class WaitClient {
 public:
  // The cluster outlives it.
  explicit WaitClient(Cluster& cluster);

  // Asks for a follower, and expects to be told that it has it, by the time of CheckAll.
  void AskInTheEnd();
  // Whether that was answered, or there is nobody to wait for.
  bool AnsweredInTheEnd() const;
  void CheckAll();
  // How often it was told that followers have it.
  uint64_t returned() const { return returned_; }

 private:
  struct Question {
    uint32_t replicas = 0;
    Checker::Place committed;
    size_t restored = 0;  // as the writer's RestoredIn
    Node* primary = nullptr;
    std::map<Node*, uint64_t> copies;  // of each node: how many it has had
  };
  struct Promise {
    Checker::Place committed;
    std::map<Node*, uint64_t> copies;  // of those that had it then
  };

  void AskLater();
  void Ask(uint32_t replicas, absl::Duration timeout);
  void OnAnswer(const Question& question, const v1::WaitResponse& answer);
  void OnMoved(Node& node);
  Checker::Place Present() const;

  Cluster& cluster_;
  const absl::Duration longest_pause_;
  std::vector<Promise> promises_;
  uint64_t returned_ = 0;
  uint64_t returned_before_end_ = 0;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_WAIT_CLIENT_H_
