#include "tests/simulation/node.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "filestorage/digest.h"

namespace zrs::simulation {

// Destroyed from below: the storage first, and what it runs on after it.
struct Node::Process {
  Process(Node& node, uint64_t life_number)
      : life(life_number),
        file_system(node.disk_, node, node.queue_.random(), node.options_.lies),
        watcher(node.queue_, node.notifications_, node.options_.watcher),
        dialer(node.network_.MakeDialer(node.options_.name)),
        runtime(node.queue_, node.options_.delays) {}

  const uint64_t life;
  ProcessFileSystem file_system;
  SimulatedWatcher watcher;
  std::unique_ptr<transport::Dialer> dialer;
  SimulatedRuntime runtime;
  std::unique_ptr<storage::Storage> storage;
};

Node::Node(EventQueue& queue, SimulatedNetwork& network, EventLog& log, NodeObserver& observer, NodeOptions options)
    : queue_(queue),
      network_(network),
      log_(log),
      observer_(observer),
      options_(std::move(options)),
      is_primary_(options_.upstreams.empty()) {
  disk_.CreateDirectories(kDataDirectory, 0755).IgnoreError();
  disk_.CreateDirectories(kStateDirectory, 0755).IgnoreError();
}

Node::~Node() {
  if (process_ == nullptr) return;
  process_->file_system.Kill();
  process_->runtime.Kill();
  network_.KillProcess(name(), false);
  Bury();
}

void Node::Start() {
  log_.Add(name(), "starts");
  status_.Clear();
  process_ = std::make_unique<Process>(*this, ++life_);
  storage::StorageOptions options;
  options.name = "1";
  options.path = kDataPath;
  options.upstreams = options_.upstreams;
  options.state_path = kStatePath;
  options.machine_id = name();
  options.copy_id = filestorage::DigestOf(name()).ToBytes();
  options.node_id = queue_.random().Bytes(16);
  options.software = "simulation";
  options.poll_interval = options_.poll_interval;
  options.state_interval = absl::Seconds(2);
  // Comparisons beside everything else: none may find a difference that there is not. In every other life.
  if (life_ % 2 == 0) {
    options.scrub_interval = absl::Milliseconds(1500);
    options.scrub_rate = 500 << 10;
  }
  process_->storage = storage::MakeStorage(std::move(options), {.runtime = process_->runtime,
                                                                .watcher = process_->watcher,
                                                                .file_system = process_->file_system,
                                                                .dialer = *process_->dialer});
  process_->storage->Start([this](bool serving) { log_.Add(name(), serving ? "is serving" : "is not serving"); });
  network_.Listen(name(), [this](std::shared_ptr<transport::PublisherStream> stream, v1::Hello hello) {
    process_->storage->Accept(std::move(stream), std::move(hello));
  });
}

void Node::Crash(bool host_too) {
  crash_countdown_ = 0;
  if (process_ == nullptr && !host_too) return;
  Die(host_too);
  if (process_ != nullptr) Bury();
}

void Node::CrashAtOperation(uint64_t n, bool host_too) {
  crash_countdown_ = n;
  crash_takes_host_ = host_too;
}

void Node::Die(bool host_too) {
  log_.Add(name(), host_too ? "CRASH of the host" : "is killed");
  stopping_ = false;
  network_.KillProcess(name(), host_too);
  if (process_ != nullptr) {
    dying_ = true;
    process_->file_system.Kill();
    process_->runtime.Kill();
  }
  if (host_too) {
    tests::SeededChooser chooser(queue_.random().Next());
    disk_.Crash(chooser);
    sync_failed_ = false;
    lost_power_ = true;
    // The disks are found in another order, perhaps.
    if (queue_.random().OneIn(4)) disk_.Renumber();
  }
  observer_.OnCrashed(*this, host_too);
}

void Node::OnDied() {
  log_.Add(name(), "dies inside a file operation");
  Die(crash_takes_host_);
  queue_.Add(absl::ZeroDuration(), [this, life = life_] {
    if (process_ != nullptr && process_->life == life) Bury();
  });
}

void Node::Bury() {
  network_.ReleaseProcess(name());
  process_.reset();
  dying_ = false;
  stopping_ = false;
}

void Node::Stop(absl::Duration timeout) {
  log_.Add(name(), "is stopped in order");
  stopping_ = true;
  crash_countdown_ = 0;
  network_.StopListening(name());
  process_->storage->Stop(timeout, [this, life = life_] {
    log_.Add(name(), "has stopped");
    queue_.Add(absl::ZeroDuration(), [this, life] {
      if (process_ == nullptr || process_->life != life || dying_) return;
      process_->file_system.Kill();
      process_->runtime.Kill();
      network_.KillProcess(name(), false);
      Bury();
      observer_.OnStopped(*this);
    });
  });
}

void Node::Promote(v1::PromoteRequest::Upstream upstream, std::function<bool()> wanted,
                   std::function<void(const v1::PromotedStorage&)> answer) {
  process_->storage->Promote(upstream, std::move(wanted),
                             [this, life = life_, answer = std::move(answer)](const v1::PromotedStorage& promoted) {
                               if (process_ != nullptr && process_->life == life) answer(promoted);
                             });
}

void Node::Adopt(v1::AdoptRequest::As as, std::function<void(const absl::StatusOr<std::string>&)> answer) {
  process_->storage->Adopt(
      as, [this, life = life_, answer = std::move(answer)](const absl::StatusOr<std::string>& adopted) {
        if (process_ != nullptr && process_->life == life) answer(adopted);
      });
}

void Node::Resync(bool dry_run, std::function<void(const v1::ResyncResponse&)> answer) {
  process_->storage->Resync(
      dry_run, [] { return true; },
      [this, life = life_, answer = std::move(answer)](const v1::ResyncResponse& response) {
        if (process_ != nullptr && process_->life == life) answer(response);
      });
}

void Node::Wait(uint32_t replicas, absl::Duration timeout, std::function<void(const v1::WaitResponse&)> answer) {
  process_->storage->Wait(
      replicas, timeout, [] { return true; },
      [this, life = life_, answer = std::move(answer)](const v1::WaitResponse& response) {
        if (process_ != nullptr && process_->life == life) answer(response);
      });
}

void Node::Demote() {
  process_->storage->Demote([this](const absl::Status& status) {
    log_.Add(name(), absl::StrCat("is told that it is a secondary: ", status.ToString()));
  });
}

void Node::AskStatus() {
  if (!running()) return;
  process_->storage->GetStatus([this, life = life_](v1::StorageStatus status) {
    if (process_ != nullptr && process_->life == life) status_ = std::move(status);
  });
}

std::optional<storage::State> Node::StateOnDisk() {
  const auto disk = disk_.Clone();
  auto state = storage::StateFile(*disk, kStatePath).Load();
  return state.ok() ? *std::move(state) : std::nullopt;
}

v1::Lineage Node::LineageOnDisk() {
  std::optional<storage::State> state = StateOnDisk();
  return state ? std::move(state->lineage) : v1::Lineage();
}

std::optional<storage::State> Node::SettledState() {
  disk_.SyncDirectory(kStateDirectory).IgnoreError();
  return StateOnDisk();
}

void Node::LoseState() {
  if (const auto names = disk_.List(kStateDirectory); names.ok()) {
    for (const std::string& file : *names) disk_.Remove(absl::StrCat(kStateDirectory, "/", file)).IgnoreError();
  }
  disk_.SyncDirectory(kStateDirectory).IgnoreError();
}

uint64_t Node::UsedBytes() {
  uint64_t bytes = 0;
  for (const char* directory : {kDataDirectory, kStateDirectory}) {
    const auto names = disk_.List(directory);
    if (!names.ok()) continue;
    for (const std::string& file : *names) bytes += disk_.Contents(absl::StrCat(directory, "/", file)).size();
  }
  return bytes;
}

void Node::CheckAllowed(const FileOperation& operation) {
  using Kind = FileOperation::Kind;
  if (!process_->runtime.in_io_task()) {
    log_.Violation(name(), absl::StrCat("a file operation outside of the I/O thread, on ", operation.path));
  }
  if (!is_primary() || !operation.IsChange() || absl::StartsWith(operation.path, kStateDirectory)) return;
  if (operation.kind == Kind::kSync || operation.kind == Kind::kSyncDirectory) return;
  log_.Violation(name(), absl::StrCat("changes files of the primary's database: ", operation.path));
}

Fate Node::Before(const FileOperation& operation) {
  CheckAllowed(operation);
  observer_.OnFileOperation(*this, operation);
  if (crash_countdown_ > 0 && --crash_countdown_ == 0) return Fate::kDie;
  // That of what a database has written would lose it, and a real one hears of that by itself.
  const bool sync = operation.kind == FileOperation::Kind::kSync && operation.path == kDataPath;
  // Of a file that no state tells of nobody would know later that it happened: the next one succeeds.
  const bool spared = sync && (is_primary() || !disk_.Exists(kStatePath));
  if (failure_countdown_ > 0 && !spared && --failure_countdown_ == 0) {
    failed_life_ = life_;
    sync_failed_ = sync_failed_ || sync;
    log_.Add(name(), absl::StrCat("an operation on ", operation.path, " fails"));
    return Fate::kFail;
  }
  if (sync_countdown_ > 0 && sync && !spared && --sync_countdown_ == 0) {
    failed_sync_life_ = life_;
    sync_failed_ = true;
    log_.Add(name(), "a sync fails");
    return Fate::kFail;
  }
  return Fate::kGo;
}

}  // namespace zrs::simulation
