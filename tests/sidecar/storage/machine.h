// A host with one storage's process on it, for tests: simulated disk, network, clock and threads.
#ifndef ZRS_TESTS_SIDECAR_STORAGE_MACHINE_H_
#define ZRS_TESTS_SIDECAR_STORAGE_MACHINE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "sidecar/storage/storage.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/simulated_network.h"
#include "tests/simulation/simulated_runtime.h"
#include "tests/simulation/simulated_watcher.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::storage {

// Time and network, shared by the machines of a test.
class World {
 public:
  World();
  ~World();

  // Runs until `done` says so. False when it did not within a minute of simulated time.
  template <typename Done>
  bool RunUntil(Done done) {
    return queue_.RunUntil(queue_.now() + absl::Minutes(1), done);
  }
  void RunFor(absl::Duration time) {
    queue_.RunUntil(queue_.now() + time, [] { return false; });
  }

  simulation::EventQueue& queue() { return queue_; }
  simulation::SimulatedNetwork& network() { return *network_; }

 private:
  class Observer;
  simulation::EventQueue queue_{1};
  std::unique_ptr<Observer> observer_;
  std::unique_ptr<simulation::SimulatedNetwork> network_;
};

// Its data file is /NAME/Data.fs; its state is /state/NAME.state.
class Machine {
 public:
  // `upstream`: the name of the machine to follow; empty for a primary.
  Machine(World& world, const std::string& name, const std::string& upstream);
  ~Machine();

  // For the next Start.
  void SetUpstream(const std::string& upstream) {
    SetUpstreams(upstream.empty() ? std::vector<std::string>() : std::vector<std::string>{upstream});
  }
  void SetUpstreams(std::vector<std::string> upstreams) { options_.upstreams = std::move(upstreams); }
  void SetMachineId(const std::string& machine_id) { options_.machine_id = machine_id; }
  void SetCopyId(const std::string& copy_id) { options_.copy_id = copy_id; }
  void SetMaxFollowers(uint32_t count) { options_.max_followers = count; }
  void SetInspectRate(uint64_t bytes_per_second) { options_.inspect_rate = bytes_per_second; }
  void SetMaxLag(absl::Duration lag) { options_.max_lag = lag; }
  void SetKeepAlive(absl::Duration delay) { options_.keep_alive_delay = delay; }
  void SetIndexInterval(absl::Duration interval) { options_.index_interval = interval; }
  void SetKeepOld(bool keep) { options_.keep_old = keep; }
  // A primary reads its file in pieces of this size, and reports after each.
  void SetPieces(uint64_t bytes) { options_.tail = {.read_size = bytes, .max_bytes_per_poll = bytes}; }
  void SetOnSwap(CommandFunction command) { options_.on_swap = std::move(command); }
  void SetFence(CommandFunction command) {
    options_.fence = [command = std::move(command)](const std::string&, absl::AnyInvocable<void(absl::Status)> done) {
      command(std::move(done));
    };
  }
  void SetFenceOf(decltype(StorageOptions::fence) fence) { options_.fence = std::move(fence); }
  void SetScrub(absl::Duration interval, uint64_t rate) {
    options_.scrub_interval = interval;
    options_.scrub_rate = rate;
  }
  void SetMode(uint32_t mode) { options_.access.mode = mode; }

  void Start();
  // Runs the world until the file is held.
  void Pause();
  void Resume();
  // In order; runs the world meanwhile.
  void Stop();
  // Returns at once; `stopped` outlives the stop, and counts. Stop is still to be called.
  void BeginStop(absl::Duration timeout, int& stopped);

  // Makes the data file these bytes, in place, as a writer that commits would; the watcher is told.
  void Write(const std::string& bytes);
  // The same, and the watcher misses it.
  void WriteUnnoticed(const std::string& bytes);
  // Whether the sidecar would be told of such a write.
  bool IsToldOfWrites() const { return notifications_.IsTold(options_.path); }
  // Puts another file under the name, as a pack does.
  void Replace(const std::string& bytes);
  // The same, and the old file is kept as `Data.fs.old`.
  void Pack(const std::string& bytes);
  // The disk is stuck for so long.
  void HoldIo(absl::Duration time) { runtime_.HoldIo(time); }
  // What is done aside is as slow as that.
  void HoldAside(absl::Duration time) { runtime_.HoldAside(time); }
  // The process is stopped for so long.
  void HoldStrand(absl::Duration time) { runtime_.HoldStrand(time); }
  // The wall clock is set, forward or back.
  void StepClock(absl::Duration step) { runtime_.StepClock(step); }
  // From now on.
  void FailSyncsOf(const std::string& path);
  // No name in `directory` (with a slash behind) comes, goes or is changed; the files are as they were.
  void ForbidChangesIn(const std::string& directory);

  uint64_t Size() { return disk_.Exists(options_.path) ? disk_.Stat(options_.path)->size : 0; }
  std::string Data() const { return disk_.Contents(options_.path); }
  // What lies on the disk is another one by a bit of this byte.
  void FlipBit(uint64_t offset) {
    std::string bytes = Data();
    bytes[static_cast<size_t>(offset)] ^= 4;
    disk_.SetContents(options_.path, bytes);
  }
  void NoteRefusedFollower(const std::string& message, const std::string& remedy) {
    storage_->NoteRefusedFollower(message, remedy);
  }
  // Both run the world until the answer is there.
  v1::StorageStatus Status();
  v1::WaitResponse Wait(uint32_t replicas, absl::Duration timeout);
  // Returns at once; `answer` outlives the wait.
  void BeginWait(uint32_t replicas, absl::Duration timeout, std::optional<v1::WaitResponse>& answer);
  v1::PromotedStorage Promote(v1::PromoteRequest::Upstream upstream);
  // Returns at once; `answer` and `wanted` outlive the promotion.
  void BeginPromote(v1::PromoteRequest::Upstream upstream, const bool& wanted,
                    std::optional<v1::PromotedStorage>& answer);
  absl::Status Demote();
  absl::StatusOr<std::string> Adopt(v1::AdoptRequest::As as = v1::AdoptRequest::AS_PROVED);
  v1::CompareResponse Compare(uint64_t rate = 0);
  // Returns at once; `answer` outlives the comparison.
  void BeginCompare(uint64_t rate, std::optional<v1::CompareResponse>& answer);
  v1::ResyncResponse Resync(bool dry_run);
  bool serving() const { return serving_; }
  const std::string& name() const { return options_.name; }
  tests::SimulatedFileSystem& disk() { return disk_; }

 private:
  World& world_;
  StorageOptions options_;
  tests::SimulatedFileSystem disk_;
  simulation::FileNotifications notifications_;
  simulation::SimulatedRuntime runtime_;
  simulation::SimulatedWatcher watcher_;
  std::unique_ptr<transport::Dialer> dialer_;
  std::unique_ptr<Storage> storage_;
  bool serving_ = false;
};

}  // namespace zrs::storage

#endif  // ZRS_TESTS_SIDECAR_STORAGE_MACHINE_H_
