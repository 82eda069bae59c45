// The rules of the project that a simulation watches: on every message, and on every disk at chosen moments.
#ifndef ZRS_TESTS_SIMULATION_CHECKER_H_
#define ZRS_TESTS_SIMULATION_CHECKER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "filestorage/format.h"
#include "sidecar/storage/state_file.h"
#include "tests/simulation/event_log.h"
#include "tests/simulation/generation_watch.h"
#include "tests/simulation/node.h"
#include "tests/simulation/saved_bytes.h"
#include "tests/simulation/simulated_network.h"
#include "tests/simulation/simulated_writer.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::simulation {

// Reports to the log's Violation. `writer` (on the disk of nodes[0]) and the nodes are set before the first event; all
// outlive it.
//
// A pack begins an epoch of the primary's file; "the primary's file" below is that of any epoch, and an earlier one is
// remembered as it was left.
//
//   sent        whatever a node sends as bytes of the file is committed in the primary's file, in one that the node can
//               be at, and durable at the node
//   heartbeat   the committed end that is told is durable at the primary
//   acknowledge what a follower calls durable is durable on its disk, and equal to the primary's file
//   opener      whoever opens a copy, now or after a power loss now, finds a prefix of the primary's committed
//               transactions, which has all that was acknowledged or is all of a later pack of that; while the host
//               runs, never less than before, never an earlier epoch, and never an earlier last transaction of one
//   state       after a power loss now the state file tells of the file that is there
//   history     a power loss at the primary's host takes nothing that was sent
//   proved      who tells a primary that has lost its state which database it is has a beginning of its file
//   identity    nobody goes on to follow one of another database; in the end all states tell of one and the same epoch
//   stale       nobody goes on to follow one of an earlier generation than it knows of
//   saved       as SavedBytes has it
class Checker : public NetworkObserver {
 public:
  explicit Checker(EventLog& log, SeededRandom& random) : log_(log), random_(random), saved_(log) {}

  void Watch(const SimulatedWriter& writer, const std::vector<std::unique_ptr<Node>>& nodes);

  void OnPublisherSends(const std::string& node, const v1::PublisherMessage& message) override;
  void OnFollowerSends(const std::string& node, const std::string& peer, const v1::FollowerMessage& message) override;
  void OnFollowerReceives(const std::string& node, const std::string& peer, bool look,
                          const v1::PublisherMessage& message) override;
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

  // Whether the node, whose copy is equal, has said so.
  bool HasAcknowledgedAll(const Node& node) const;
  // Whether nothing may be left that proves the copy of `node`: it is of a file before the last but one, or before the
  // last where an upstream's state was lost since, and the process that knew where the node was has ended since.
  bool MayBeUnproved(Node& node) const;
  // `node`, on whose host the writer goes on, has begun the writer's present epoch; the others follow it, also the one
  // on whose host the writer was, and left what it left.
  void OnPromoted(Node& node, Node& before);
  // The primary's file is a restored backup from now on, by the word of whoever owns it: what was on that host alone
  // is given up. `in_the_file`: written over the one that was there. Whoever reads that before the primary's zrs has
  // looked at it again has bytes of the backup, which it takes for those of before, and so has who is sent them.
  void OnRestored(const Node& primary, bool in_the_file);
  // The primary's zrs has begun the epoch `id` for that.
  void OnAdopted(const std::string& id);
  // The latest epoch of whose file the copy of `node` is a beginning, as an opener finds it; absent where of none.
  std::optional<size_t> EpochOfCopy(Node& node);
  // Whether the copy of `node` has, or may have, what a later promotion left out, or is of a file in whose place a
  // backup was restored.
  bool IsPastAFork(Node& node);
  // Whether the present or last process on the host of `upstream` has heard where the copy of `node` is, and is the
  // last that has.
  bool IsKnown(const Node& node, const Node& upstream) const;
  // Whether the node has followed the present or last process on the host of `upstream`.
  bool HasFollowed(const Node& node, const Node& upstream) const;
  // The state directory of `node` is empty, and nothing runs there.
  void OnStateLost(const Node& node);
  // Whether the states of all nodes tell of the primary's database and epoch. One that was promoted by mistake, or has
  // lost its state, may have the right bytes before it knows whose they are.
  bool HaveOneIdentity() const;
  // In the end: `node`'s does.
  void CheckIdentity(Node& node);
  // Whether another file is in the place of the primary's for now. Until its zrs notices it tells of the right one.
  void SetBackup(bool there) { backup_ = there; }
  // A person has taken the copy of `node` away, for a new one.
  void ForgetCopy(const Node& node);
  // A person lets the copy of `node` give up what its upstream does not have.
  void OnResync(const Node& node);
  // A file operation of the node's last process failed: what its readers saw, and nobody was told to be durable, may be
  // cut, until it acknowledges again.
  void OnDiskFailure(const Node& node) { disks_[node.name()].failed = true; }
  // How often one of both has happened to it.
  uint64_t CopiesOf(const Node& node) const;
  SavedBytes& saved() { return saved_; }
  // A committed end in the primary's file of an epoch.
  struct Place {
    size_t epoch = 0;
    uint64_t offset = 0;  // 0: none
    bool operator<(const Place& other) const {
      return epoch < other.epoch || (epoch == other.epoch && offset < other.offset);
    }
  };
  // Whether a file that ends at `place` has all that there is up to `known`, or all of a later pack of that. Where a
  // backup was restored in between, all that it had of that.
  bool Has(Place place, Place known) const;
  // The same of what is durable at `node`.
  bool HasDurably(Node& node, Place known);
  uint64_t batches() const { return batches_; }

 private:
  using ProcessName = std::pair<std::string, uint64_t>;  // the node's name, and which of its processes
  // What is known of one node's disk.
  struct Disk {
    Place acknowledged;              // the last that was ever called durable
    uint64_t told = 0;               // the offset that was called durable last
    bool failed = false;             // see OnDiskFailure
    bool stateless = false;          // see OnStateLost; until it says again whose copy it is
    std::string database;            // that it said it is of, when it said hello last; empty: of none
    std::string welcomed;            // that it was welcomed to
    Place seen;                      // the last that an opener found since the machine's last crash
    filestorage::Tid seen_tid = 0;   // largest last transaction that an opener was told of since then, in that epoch
    Place proved;                    // up to here the file was found to be durable and the primary's, since that crash
    ProcessName follows;             // whose process the node said hello to last
    ProcessName known_to;            // whose has heard the last acknowledgement of it
    std::set<ProcessName> followed;  // all that `follows` was
    std::string refused;             // what the writer left here, which a power loss had made unsound; empty: nothing
    std::string left;                // id of a transaction that the writer left here uncommitted; empty: none
    std::string torn;                // what a power loss may have made of the id of one; empty: none
    std::optional<std::string> state_bytes;               // of the state file that was parsed last
    absl::StatusOr<std::optional<storage::State>> state;  // what it said
  };
  // What is known of the files that an epoch of the program can be: it began when `newest` was the primary's present
  // one, and those that are `excluded` had other bytes than were sent.
  struct ProgramEpoch {
    size_t newest = 0;
    std::set<size_t> excluded;
    bool several = false;  // a primary that had lost its state took it for its own behind a pack that it did not see
  };

  Node* Find(const std::string& name) const;
  Node& Primary() const;
  static std::string IdentityOf(Node& node);  // for a message; empty where its state does not tell
  bool HasPrimarysIdentity(Node& node) const;
  // Bytes `from` to `to` of the node's file as a power loss that takes everything unsynced leaves them; fewer where
  // the file then ends before.
  static std::string Durable(Node& node, uint64_t from, uint64_t to);
  // What the state file of `disk`, a state of the node's disk, says.
  const absl::StatusOr<std::optional<storage::State>>& StateOn(tests::SimulatedFileSystem& disk, Disk& known);
  // Whether the node's file up to `end` is durable, and the committed beginning of the primary's. `place`: where.
  bool IsProved(Node& node, uint64_t end, Place* place);
  // Whether the primary has told of a committed end that it cannot lose.
  bool IsDurableEnd(uint64_t end);
  void CheckOpened(Node& node, absl::string_view when, const std::string& contents, bool after_power_loss);
  // `disk`: of the node, after a power loss.
  void CheckState(Node& node, tests::SimulatedFileSystem& disk);
  void CheckBatch(Node& node, const v1::Batch& batch);
  // Whether those are bytes of a file that was written over the one that the primary's zrs knows; see OnRestored.
  bool IsOfOverwritten(Node& node, const v1::Batch& batch);
  void OnHello(Node& node, const Node& upstream, const v1::Hello& hello);
  // A primary says of which epoch its file is.
  void OnPublished(const v1::Lineage& lineage);
  // Whether the state of one of `nodes` was lost since the primary was in `epoch`.
  bool HaveForgotten(const std::vector<std::string>& nodes, size_t epoch) const;
  void OnVouch(Node& node, Node& upstream, const v1::Vouch& vouch);
  void OnAcknowledge(Node& node, const Node& upstream, uint64_t offset);
  // The epochs of whose file `contents` is a beginning.
  std::vector<size_t> EpochsOf(absl::string_view contents) const;
  // The same of what an opener finds, without those that came with more, and those that came of another restored backup
  // than the node's state file tells of.
  std::vector<size_t> EpochsOfCopy(Node& node);
  // The epoch that began with the last restored backup of which the node's state file tells; 0: of none.
  size_t RestoredAt(Node& node);
  // Whether that fits with what is known of the disk.
  bool Fits(const Disk& disk, Place place) const { return Has(place, disk.acknowledged); }

  EventLog& log_;
  SeededRandom& random_;
  const SimulatedWriter* writer_ = nullptr;
  const std::vector<std::unique_ptr<Node>>* nodes_ = nullptr;
  std::map<std::string, Disk> disks_;
  std::map<std::string, uint64_t> copies_;
  std::map<std::string, ProgramEpoch> program_epochs_;  // by their ids
  std::map<std::string, size_t> restored_;              // id of what a restored backup began -> the primary's epoch
  std::map<std::string, std::string> publishes_;        // node -> id of the epoch that it publishes
  std::map<size_t, std::string> sent_;                  // the longest prefix of each epoch's file that was ever sent
  SavedBytes saved_;
  GenerationWatch generations_;
  std::map<std::string, size_t> states_lost_;  // node -> the primary's epoch when its state was lost last
  std::optional<size_t> lost_in_;              // the primary's epoch when its zrs lost its state last
  bool backup_ = false;
  bool overwritten_ = false;       // a backup is in the primary's file, and its zrs does not know it yet
  bool overwritten_read_ = false;  // something of one was sent
  uint64_t batches_ = 0;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_CHECKER_H_
