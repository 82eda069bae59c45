// A primary's host with its writer, and secondaries in a chain or a star, as a seed has it.
#ifndef ZRS_TESTS_SIMULATION_CLUSTER_H_
#define ZRS_TESTS_SIMULATION_CLUSTER_H_

#include <cstdint>
#include <memory>
#include <string>
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
  Node& primary() { return *nodes_.front(); }
  uint64_t crashes() const { return crashes_; }
  // Whether something happened that may leave unsound bytes behind the primary's committed end.
  bool primary_host_crashed() const { return primary_host_crashed_; }

  // Lets the writer begin transactions from now on, or only finish the one under way.
  void SetWriting(bool writing) { writing_ = writing; }
  // A later event: a node starts (where it is stopping then, as soon as it has stopped), the writer opens its file;
  // nothing if it has happened meanwhile. After a crash that comes by itself.
  void StartLater(Node& node, absl::Duration delay);
  void OpenWriterLater(absl::Duration delay);

  // NodeObserver
  void OnFileOperation(Node& node, const FileOperation& operation) override;
  void OnCrashed(Node& node, bool host_too) override;

 private:
  void MakeNodes(const ScheduleOptions& options);
  void MakeWriter();
  void Tick();
  void StepWriter();

  EventQueue queue_;
  EventLog log_;
  Checker checker_;
  std::unique_ptr<SimulatedNetwork> network_;
  std::vector<std::unique_ptr<Node>> nodes_;  // the primary first
  std::unique_ptr<SimulatedWriter> writer_;
  absl::Duration longest_pause_;  // of the writer between two transactions
  bool writing_ = true;
  bool primary_host_crashed_ = false;
  uint64_t crashes_ = 0;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_CLUSTER_H_
