// An administrator who restores a backup in the place of the primary's file.
#ifndef ZRS_TESTS_SIMULATION_RESTORE_H_
#define ZRS_TESTS_SIMULATION_RESTORE_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "proto/zrs/v1/admin.pb.h"
#include "sidecar/storage/state_file.h"
#include "tests/simulation/adoption.h"
#include "tests/simulation/cluster.h"
#include "tests/simulation/node.h"

namespace zrs::simulation {

// For a while, by mistake; or for good: the database goes on from the backup at once, and where the primary says that
// it is diverged, it is told to go on from it too (zrs adopt --restored), which its process or its host may not live
// through. One at a time. Reports to the log's Violation:
//
//   serves an older backup   the primary publishes one that nobody has told it of
//   not durable              it was answered that it goes on from it, and the state file does not tell
class Restore {
 public:
  // The cluster outlives it.
  explicit Restore(Cluster& cluster) : cluster_(cluster), adoption_(cluster) {}

  // Nothing where there is no older backup that can be told from the primary's file, or the writer is at work.
  void BeginForAWhile();
  void BeginForGood();
  // What the node says of itself. True where that is as it has to be at present, and nothing else is to be judged.
  bool Judge(Node& node, const v1::StorageStatus& status);
  // From now on the primary is not disturbed while it is told.
  void SetCalm() { adoption_.SetCalm(); }

  // How often the primary was seen to be diverged for a backup.
  uint64_t refused() const { return refused_; }
  uint64_t restores() const { return restores_; }

 private:
  struct Backup {
    size_t epoch = 0;
    uint64_t end = 0;
  };

  std::optional<Backup> ChooseBackup(const storage::State& state);
  // Whether the primary's state file tells that it goes on from the backup; then that is over.
  bool EndIfTold(Node& primary);
  void Tell();

  Cluster& cluster_;
  Adoption adoption_;
  std::set<std::string> known_;  // ids of the epochs that the primary knew of before the backup was there
  absl::Duration began_;         // with the backup; and when the primary was found to go on from it
  absl::Duration ended_ = -absl::InfiniteDuration();
  uint64_t refused_ = 0;
  uint64_t restores_ = 0;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_RESTORE_H_
