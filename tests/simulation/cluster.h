// A primary's host with its writer, and secondaries in a chain or a star, as a seed has it.
#ifndef ZRS_TESTS_SIMULATION_CLUSTER_H_
#define ZRS_TESTS_SIMULATION_CLUSTER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/checker.h"
#include "tests/simulation/event_log.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/node.h"
#include "tests/simulation/schedule.h"
#include "tests/simulation/simulated_network.h"
#include "tests/simulation/simulated_writer.h"

namespace zrs::simulation {

// Everything of one simulation but the faults. It lets the writer act, and the checker look, between the file
// operations of the processes.
class Cluster : public NodeObserver {
 public:
  explicit Cluster(const ScheduleOptions& options);
  ~Cluster() override;

  EventQueue& queue() { return queue_; }
  SeededRandom& random() { return queue_.random(); }
  EventLog& log() { return log_; }
  SimulatedNetwork& network() { return *network_; }
  SimulatedWriter& writer() { return *writer_; }
  Checker& checker() { return checker_; }
  const std::vector<std::unique_ptr<Node>>& nodes() const { return nodes_; }
  bool has_secondaries() const { return nodes_.size() > 1; }
  // One of the nodes that `node`, a secondary, may be connected to.
  const std::string& AnyUpstreamOf(const Node& node);
  Node& primary() { return *nodes_[primary_]; }
  uint64_t crashes() const { return crashes_; }
  // Whether something happened that may leave unsound bytes behind the primary's committed end.
  bool primary_host_crashed() const { return primary_host_crashed_; }

  // Lets the writer begin transactions from now on, or only finish the one under way.
  void SetWriting(bool writing) { writing_ = writing; }
  // A later event: a node starts (where it is stopping then, as soon as it has stopped), the writer opens its file;
  // nothing if it has happened meanwhile. After a crash that comes by itself.
  void StartLater(Node& node, absl::Duration delay);
  // Nobody is started any more.
  void End() { ended_ = true; }
  void OpenWriterLater(absl::Duration delay);

  // The writer begins a pack, if it can. A pack that drops the file's last transaction is proved by the file before
  // alone: such a one comes only when the primary's zrs knows of the packs before it, and none comes before it is
  // known.
  void Pack();
  uint64_t packs() const { return packs_; }
  // The primary's zrs knows of no pack any more.
  void ForgetPacks();

  // The writer goes on with the file of `node`, which was promoted and has that of `epoch`. The others are told to
  // follow it, and started again, each in its time; where they know several upstreams they find it by themselves, and
  // the host that was the primary comes back as one, for a while, unless it was stopped `in_order`.
  void MoveWriter(Node& node, size_t epoch, bool in_order);
  // `moved` is called after each of those, and of those below.
  void SetOnMoved(std::function<void(Node&)> moved) { moved_ = std::move(moved); }
  // Whether nobody has told that node yet that it is a primary no more.
  bool IsStale(const Node& node) const { return stale_.contains(&node); }
  // Now everybody is told.
  void EndStale();
  // A backup takes the place of the primary's file, the first `end` bytes of the file of `epoch`, and the database goes
  // on from it: nobody has told the primary's zrs yet. As MoveWriter calls `moved`.
  void GoOnFromBackup(size_t epoch, uint64_t end);
  // That zrs knows it now: it has begun the epoch `id`.
  void EndRestore(const std::string& id);
  bool restoring() const { return restoring_; }
  // The writer's program is not started while that is being decided.
  void SetFailingOver(bool failing_over) { failing_over_ = failing_over; }
  bool failing_over() const { return failing_over_; }

  // An administrator puts an older backup in the place of the primary's file, in the file itself or under its name, and
  // it goes on in another way; nothing where the primary's zrs knows of no more than that has. The writer rests.
  void RestoreBackup();
  // The right file is back in its place, if it was not there.
  void PutBackRightFile();
  bool has_backup() const { return backup_.has_value(); }
  // When an older backup was put in place last, and when the right file was back.
  absl::Duration backup_began() const { return backup_began_; }
  absl::Duration backup_ended() const { return backup_ended_; }

  // NodeObserver
  void OnFileOperation(Node& node, const FileOperation& operation) override;
  void OnCrashed(Node& node, bool host_too) override;
  void OnStopped(Node& node) override;

 private:
  void MakeNodes(const ScheduleOptions& options);
  std::vector<std::string> AllBut(size_t number, size_t count);
  std::vector<std::string> UpstreamsOf(const Node& node);
  void TellOthers(Node& node, Node& before, bool in_order);
  void Repoint(Node& node, std::vector<std::string> upstreams);
  void MakeWriter();
  void Tick();
  void StepWriter();

  EventQueue queue_;
  EventLog log_;
  Checker checker_;
  std::unique_ptr<SimulatedNetwork> network_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::function<void(Node&)> moved_;
  size_t primary_ = 0;
  bool several_ = false;         // each secondary knows all other nodes
  std::set<const Node*> stale_;  // see IsStale
  bool ended_ = false;
  bool failing_over_ = false;
  bool restoring_ = false;  // see GoOnFromBackup
  std::unique_ptr<SimulatedWriter> writer_;
  absl::Duration longest_pause_;  // of the writer between two transactions
  // Epochs that the primary's zrs has made durable.
  int KnownEpochs();

  enum class Backup { kInTheFile, kUnderItsName };
  std::optional<Backup> backup_;  // one is in the place of the right file
  absl::Duration backup_began_ = -absl::InfiniteDuration();
  absl::Duration backup_ended_ = -absl::InfiniteDuration();
  bool writing_ = true;
  uint64_t packs_ = 0;
  int known_at_pack_ = -1;         // KnownEpochs at the last pack
  bool pack_dropped_end_ = false;  // that pack may have
  bool primary_host_crashed_ = false;
  uint64_t crashes_ = 0;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_CLUSTER_H_
