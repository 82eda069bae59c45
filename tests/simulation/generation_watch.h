// Whether a follower goes on with a primary that it knows to be stale.
#ifndef ZRS_TESTS_SIMULATION_GENERATION_WATCH_H_
#define ZRS_TESTS_SIMULATION_GENERATION_WATCH_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "proto/zrs/v1/replication.pb.h"

namespace zrs::simulation {

// What followers were told of generations, and whom they follow all the same. `life` counts a node's processes: what
// one only heard of ends with it. `now`: the simulation's time.
class GenerationWatch {
 public:
  // The node begins to follow.
  void OnHello(const std::string& node, uint64_t life, const v1::Hello& hello);
  // The node gets a message of `peer`, whom it looks at or follows. Why it is wrong that it still
  // follows that one; empty where it is right, or may not have noticed yet.
  std::string OnMessage(const std::string& node, uint64_t life, const std::string& peer, bool look,
                        const v1::PublisherMessage& message, absl::Duration now);

 private:
  // Those of two databases have nothing to do with each other.
  struct Known {
    std::string database;
    uint64_t generation = 0;
  };
  struct Follower {
    uint64_t life = 0;
    // Of each that it has looked at, as long as that one has not said that it serves nothing.
    std::map<std::string, Known> heard_of;
    Known own;  // of its copy, when it began to follow
    std::optional<Known> follows;
    std::optional<absl::Duration> stale_since;  // the one that it follows
  };
  Follower& Find(const std::string& node, uint64_t life);

  std::map<std::string, Follower> followers_;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_GENERATION_WATCH_H_
