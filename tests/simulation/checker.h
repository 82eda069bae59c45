// The rules of the project that a simulation watches: on every message, and on every disk at chosen moments.
#ifndef ZRS_TESTS_SIMULATION_CHECKER_H_
#define ZRS_TESTS_SIMULATION_CHECKER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "filestorage/format.h"
#include "tests/simulation/event_log.h"
#include "tests/simulation/node.h"
#include "tests/simulation/simulated_network.h"
#include "tests/simulation/simulated_writer.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::simulation {

// Reports to the log's Violation. `writer` (on the disk of nodes[0]) and the nodes are set before the first event; all
// outlive it.
//
//   sent        whatever a node sends as bytes of the file is committed in the primary's file, and durable at the node
//   heartbeat   the committed end that is told is durable at the primary
//   acknowledge what a follower calls durable is durable on its disk, and equal to the primary's file
//   opener      whoever opens a copy, now or after a power loss now, finds a prefix of the primary's committed
//               transactions, which has all that was acknowledged; while the host runs, never less than before, and
//               never an earlier last transaction
//   history     a power loss at the primary's host takes nothing that was sent
class Checker : public NetworkObserver {
 public:
  explicit Checker(EventLog& log, SeededRandom& random) : log_(log), random_(random) {}

  void Watch(const SimulatedWriter& writer, const std::vector<std::unique_ptr<Node>>& nodes);

  void OnPublisherSends(const std::string& node, const v1::PublisherMessage& message) override;
  void OnFollowerSends(const std::string& node, const v1::FollowerMessage& message) override;
  void OnMisuse(const std::string& node, const std::string& what) override;

  // The machine of `node` has crashed and is back (for nodes[0]: the writer has read what survived).
  void OnHostCrashed(Node& node);
  // The copy of `node` as an opener finds it at this moment.
  void CheckCopy(Node& node);
  // The copy of `node` as an opener would find it if the power failed at this moment.
  void CheckCopyAfterPowerLoss(Node& node);
  // The copy of `node` is the primary's file up to its committed end, nothing more.
  bool IsEqual(Node& node) const;
  // The same of what is durable.
  bool IsDurablyEqual(Node& node);

  uint64_t acknowledged(const std::string& node) const;
  uint64_t batches() const { return batches_; }

 private:
  // What is known of one node's disk.
  struct Disk {
    uint64_t acknowledged = 0;      // largest offset that was ever called durable
    uint64_t seen = 0;              // largest committed end that an opener found since the machine's last crash
    filestorage::Tid seen_tid = 0;  // largest last transaction that an opener was told of since then
    uint64_t proved = 0;            // up to here the file was found to be durable and the primary's, since that crash
    uint64_t durable_at = UINT64_MAX;                     // number of the disk's operation that `durable` was made at
    std::unique_ptr<tests::SimulatedFileSystem> durable;  // the disk as it is if everything unsynced is lost
  };

  Node* Find(const std::string& name);
  // Bytes `from` to `to` of the node's file as a power loss that takes everything unsynced leaves them; fewer where
  // the file then ends before.
  std::string Durable(Node& node, uint64_t from, uint64_t to);
  // Whether the node's file up to `end` is durable, and the committed beginning of the primary's.
  bool IsProved(Node& node, uint64_t end);
  void CheckOpened(Node& node, absl::string_view when, const std::string& contents, bool after_power_loss);
  void CheckBatch(Node& node, const v1::Batch& batch);

  EventLog& log_;
  SeededRandom& random_;
  const SimulatedWriter* writer_ = nullptr;
  const std::vector<std::unique_ptr<Node>>* nodes_ = nullptr;
  std::map<std::string, Disk> disks_;
  std::string sent_;  // the longest prefix of the primary's file that was ever sent
  uint64_t batches_ = 0;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_CHECKER_H_
