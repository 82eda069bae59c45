// A host with its disk, and the zrs process on it: started, killed, stopped in order, and started again.
#ifndef ZRS_TESTS_SIMULATION_NODE_H_
#define ZRS_TESTS_SIMULATION_NODE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/zrs/v1/admin.pb.h"
#include "sidecar/storage/state_file.h"
#include "sidecar/storage/storage.h"
#include "tests/simulation/event_log.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/process_file_system.h"
#include "tests/simulation/simulated_network.h"
#include "tests/simulation/simulated_runtime.h"
#include "tests/simulation/simulated_watcher.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::simulation {

// Every host has its files here.
inline constexpr char kDataDirectory[] = "/data";
inline constexpr char kDataPath[] = "/data/Data.fs";
inline constexpr char kStateDirectory[] = "/state";
inline constexpr char kStatePath[] = "/state/zrs.json";

struct NodeOptions {
  std::string name;
  std::vector<std::string> upstreams;  // names of the nodes of which one is followed; empty: the primary
  absl::Duration poll_interval = absl::Seconds(1);
  WatcherOptions watcher;
  RuntimeDelays delays;
  FileSystemLies lies;
};

class Node;

// Who looks on and acts between a process's file operations.
class NodeObserver {
 public:
  virtual ~NodeObserver() = default;
  virtual void OnFileOperation(Node& node, const FileOperation& operation) = 0;
  // The process, or the whole machine, has just crashed; the disk is what survived.
  virtual void OnCrashed(Node& node, bool host_too) = 0;
  // The process was stopped in order, and has ended.
  virtual void OnStopped(Node& node) = 0;
};

// All that it refers to outlives it.
class Node : public ProcessFate {
 public:
  Node(EventQueue& queue, SimulatedNetwork& network, EventLog& log, NodeObserver& observer, NodeOptions options);
  ~Node() override;

  // Starts a process. Not while one is running or dying.
  void Start();
  // Kills the process at once, and crashes the machine if `host_too` (also where no process is running).
  void Crash(bool host_too);
  // Kills the process before (or in the middle of) its n-th file operation from now, n from 1.
  void CrashAtOperation(uint64_t n, bool host_too);
  // As an operator stops it. stopped() turns true once it is gone.
  void Stop(absl::Duration timeout);
  // Which of its processes this is, or was the last, from 1.
  uint64_t life() const { return life_; }
  bool gone() const { return process_ == nullptr; }
  bool running() const { return process_ != nullptr && !dying_ && !stopping_; }

  // Asks for the status; status() has it some events later.
  void AskStatus();
  const v1::StorageStatus& status() const { return status_; }
  void ForgetStatus() { status_.Clear(); }

  const std::string& name() const { return options_.name; }
  // As configured. More than one: it finds by itself which one to follow.
  const std::vector<std::string>& upstreams() const { return options_.upstreams; }
  // Whether the writer is at work on this host's file, or was last.
  bool is_primary() const { return is_primary_; }
  void SetPrimary(bool is_primary) {
    was_primary_ = is_primary_;
    is_primary_ = is_primary;
  }
  // Whether the file may be one that the writer left here, and nobody has looked at.
  bool was_primary() const { return was_primary_; }
  // From the next start on.
  void Follow(std::vector<std::string> upstreams) { options_.upstreams = std::move(upstreams); }
  // A person tells one that was promoted, and is running, to follow.
  void Demote();
  // A person promotes it, and waits for that while `wanted`; `answer` comes unless its process ends before. Only of one
  // that is running.
  void Promote(v1::PromoteRequest::Upstream upstream, std::function<bool()> wanted,
               std::function<void(const v1::PromotedStorage&)> answer);
  // A person says of a primary what its file is. As Promote.
  void Adopt(v1::AdoptRequest::As as, std::function<void(const absl::StatusOr<std::string>&)> answer);
  // A person has it resynced, or only asks what that would do. As Promote.
  void Resync(bool dry_run, std::function<void(const v1::ResyncResponse&)> answer);
  // A client waits until `replicas` followers have what is committed now (0: all that are connected). As Promote.
  void Wait(uint32_t replicas, absl::Duration timeout, std::function<void(const v1::WaitResponse&)> answer);
  tests::SimulatedFileSystem& disk() { return disk_; }
  // What its zrs has noted, as it is on the disk now; nothing where that cannot be read.
  std::optional<storage::State> StateOnDisk();
  // What that says of the file's history; empty where it cannot be read.
  v1::Lineage LineageOnDisk();
  // StateOnDisk, that no power loss takes back: the kernel has written its name by the time that a person acts on it.
  std::optional<storage::State> SettledState();
  // All that its processes have noted is gone. Not while one is there.
  void LoseState();
  // Of all files on the disk.
  uint64_t UsedBytes();
  FileNotifications& notifications() { return notifications_; }

  // ProcessFate
  Fate Before(const FileOperation& operation) override;
  void OnDied() override;
  // The n-th sync of the data file from now fails, n from 1; 0: none.
  void FailSync(uint64_t n) { sync_countdown_ = n; }
  // Whether one of the present process, or of the last, failed so.
  bool had_failed_sync() const { return life_ != 0 && failed_sync_life_ == life_; }
  // Whether one has failed since the host's last crash: what is read may not be on the disk, whatever syncs succeed.
  bool sync_failed() const { return sync_failed_; }
  // Whether its host ever crashed.
  bool lost_power() const { return lost_power_; }
  // The n-th file operation from now fails, n from 1; 0: none.
  void FailOperation(uint64_t n) { failure_countdown_ = n; }
  // Whether an operation of the present process, or of the last, failed so.
  bool had_failure() const { return life_ != 0 && failed_life_ == life_; }
  bool had_failure_of_any_kind() const { return had_failure() || had_failed_sync(); }

 private:
  struct Process;
  void CheckAllowed(const FileOperation& operation);
  void Die(bool host_too);
  void Bury();

  EventQueue& queue_;
  SimulatedNetwork& network_;
  EventLog& log_;
  NodeObserver& observer_;
  NodeOptions options_;
  bool is_primary_;
  bool was_primary_ = false;
  tests::SimulatedFileSystem disk_;
  FileNotifications notifications_;
  std::unique_ptr<Process> process_;
  uint64_t life_ = 0;   // counts processes
  bool dying_ = false;  // killed, and not destroyed yet
  bool stopping_ = false;
  bool crash_takes_host_ = false;
  uint64_t crash_countdown_ = 0;    // file operations until the armed crash; 0: none is armed
  uint64_t sync_countdown_ = 0;     // syncs of the data file until one fails; 0: none does
  uint64_t failure_countdown_ = 0;  // file operations until one fails; 0: none does
  uint64_t failed_life_ = 0;        // of the last process that had one
  uint64_t failed_sync_life_ = 0;   // of the last process that had a sync of the data file fail
  bool sync_failed_ = false;        // see sync_failed()
  bool lost_power_ = false;
  v1::StorageStatus status_;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_NODE_H_
