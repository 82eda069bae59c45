#include "tests/sidecar/storage/machine.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "filestorage/digest.h"

namespace zrs::storage {
namespace {

simulation::RuntimeDelays NoStalls() {
  simulation::RuntimeDelays delays;
  delays.io_stall_one_in = 0;
  return delays;
}

simulation::WatcherOptions TellEverything() {
  simulation::WatcherOptions options;
  options.drop_one_in = 0;
  return options;
}

}  // namespace

class World::Observer : public simulation::NetworkObserver {
 public:
  void OnPublisherSends(const std::string&, const v1::PublisherMessage&) override {}
  void OnFollowerSends(const std::string&, const std::string&, const v1::FollowerMessage&) override {}
  void OnMisuse(const std::string& node, const std::string& what) override { ADD_FAILURE() << node << ": " << what; }
};

World::World()
    : observer_(std::make_unique<Observer>()),
      network_(std::make_unique<simulation::SimulatedNetwork>(queue_, *observer_, simulation::NetworkOptions{})) {}
World::~World() = default;

Machine::Machine(World& world, const std::string& name, const std::string& upstream)
    : world_(world),
      runtime_(world.queue(), NoStalls()),
      watcher_(world.queue(), notifications_, TellEverything()),
      dialer_(world.network().MakeDialer(name)) {
  options_.name = name;
  options_.path = absl::StrCat("/", name, "/Data.fs");
  SetUpstream(upstream);
  options_.state_path = absl::StrCat("/state/", name, ".state");
  options_.machine_id = absl::StrCat("machine of ", name);
  options_.copy_id = filestorage::DigestOf(name).ToBytes();
  options_.node_id = name + std::string(16 - name.size(), '.');
  EXPECT_TRUE(disk_.CreateDirectories("/state", 0755).ok());
  EXPECT_TRUE(disk_.CreateDirectories(absl::StrCat("/", name), 0755).ok());
}

Machine::~Machine() {
  if (storage_) Stop();
}

void Machine::Start() {
  storage_ = MakeStorage(options_, {runtime_, watcher_, disk_, *dialer_});
  world_.network().Listen(options_.name, [this](std::shared_ptr<transport::PublisherStream> stream, v1::Hello hello) {
    storage_->Accept(std::move(stream), std::move(hello));
  });
  storage_->Start([this](bool serving) { serving_ = serving; });
}

void Machine::Stop() {
  bool stopped = false;
  storage_->Stop(absl::Seconds(10), [&stopped] { stopped = true; });
  EXPECT_TRUE(world_.RunUntil([&stopped] { return stopped; })) << options_.name << " does not stop";
  world_.network().StopListening(options_.name);
  storage_.reset();
}

void Machine::Pause() {
  bool paused = false;
  storage_->Pause([&paused](const absl::Status& held) { paused = held.ok(); });
  EXPECT_TRUE(world_.RunUntil([&paused] { return paused; })) << options_.name << " is not paused";
}

void Machine::Resume() {
  storage_->Resume([](const absl::Status& resumed) { EXPECT_TRUE(resumed.ok()) << resumed; });
}

void Machine::BeginStop(absl::Duration timeout, int& stopped) {
  storage_->Stop(timeout, [&stopped] { ++stopped; });
}

void Machine::WriteUnnoticed(const std::string& bytes) {
  auto file = disk_.OpenOrCreate(options_.path, 0644);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->WriteAt(0, bytes).ok());
  ASSERT_TRUE((*file)->Truncate(bytes.size()).ok());
}

void Machine::Write(const std::string& bytes) {
  WriteUnnoticed(bytes);
  notifications_.Changed(options_.path);
}

void Machine::Replace(const std::string& bytes) {
  const std::string packed = options_.path + ".pack";
  disk_.SetContents(packed, bytes);
  ASSERT_TRUE(disk_.Rename(packed, options_.path).ok());
  notifications_.Changed(options_.path);
}

void Machine::Pack(const std::string& bytes) {
  const std::string packed = options_.path + ".pack";
  disk_.SetContents(packed, bytes);
  ASSERT_TRUE(disk_.Rename(options_.path, options_.path + ".old").ok());
  ASSERT_TRUE(disk_.Rename(packed, options_.path).ok());
  notifications_.Changed(options_.path);
}

void Machine::FailSyncsOf(const std::string& path) {
  disk_.SetHook([path](const tests::SimulatedOperation& operation) {
    if (operation.kind != tests::SimulatedOperation::Kind::kSync || operation.path != path) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat("sync ", path, ": Input/output error"));
  });
}

void Machine::ForbidChangesIn(const std::string& directory) {
  disk_.SetHook([directory](const tests::SimulatedOperation& operation) {
    using Kind = tests::SimulatedOperation::Kind;
    const bool of_name = operation.kind == Kind::kCreate || operation.kind == Kind::kRename ||
                         operation.kind == Kind::kLink || operation.kind == Kind::kRemove;
    if (!of_name || !absl::StartsWith(operation.path, directory)) return absl::OkStatus();
    return absl::PermissionDeniedError(absl::StrCat(operation.kind == Kind::kCreate ? "create " : "change ",
                                                    operation.path, ": Operation not permitted"));
  });
}

v1::StorageStatus Machine::Status() {
  std::optional<v1::StorageStatus> answer;
  storage_->GetStatus([&answer](v1::StorageStatus status) { answer = std::move(status); });
  EXPECT_TRUE(world_.RunUntil([&answer] { return answer.has_value(); }));
  return answer.value_or(v1::StorageStatus());
}

void Machine::BeginWait(uint32_t replicas, absl::Duration timeout, std::optional<v1::WaitResponse>& answer) {
  storage_->Wait(
      replicas, timeout, [] { return true; }, [&answer](v1::WaitResponse response) { answer = std::move(response); });
}

v1::WaitResponse Machine::Wait(uint32_t replicas, absl::Duration timeout) {
  std::optional<v1::WaitResponse> answer;
  BeginWait(replicas, timeout, answer);
  EXPECT_TRUE(world_.RunUntil([&answer] { return answer.has_value(); }));
  return answer.value_or(v1::WaitResponse());
}

void Machine::BeginPromote(v1::PromoteRequest::Upstream upstream, const bool& wanted,
                           std::optional<v1::PromotedStorage>& answer) {
  storage_->Promote(
      upstream, [&wanted] { return wanted; },
      [&answer](v1::PromotedStorage promoted) { answer = std::move(promoted); });
}

v1::PromotedStorage Machine::Promote(v1::PromoteRequest::Upstream upstream) {
  const bool wanted = true;
  std::optional<v1::PromotedStorage> answer;
  BeginPromote(upstream, wanted, answer);
  EXPECT_TRUE(world_.RunUntil([&answer] { return answer.has_value(); }));
  return answer.value_or(v1::PromotedStorage());
}

void Machine::BeginCompare(uint64_t rate, std::optional<v1::CompareResponse>& answer) {
  storage_->Compare(
      rate, [] { return true; }, [&answer](v1::CompareResponse response) { answer = std::move(response); });
}

v1::CompareResponse Machine::Compare(uint64_t rate) {
  std::optional<v1::CompareResponse> answer;
  BeginCompare(rate, answer);
  EXPECT_TRUE(world_.RunUntil([&answer] { return answer.has_value(); }));
  return answer.value_or(v1::CompareResponse());
}

v1::ResyncResponse Machine::Resync(bool dry_run) {
  std::optional<v1::ResyncResponse> answer;
  storage_->Resync(
      dry_run, [] { return true; }, [&answer](v1::ResyncResponse response) { answer = std::move(response); });
  EXPECT_TRUE(world_.RunUntil([&answer] { return answer.has_value(); }));
  return answer.value_or(v1::ResyncResponse());
}

absl::Status Machine::Demote() {
  std::optional<absl::Status> answer;
  storage_->Demote([&answer](absl::Status status) { answer = std::move(status); });
  EXPECT_TRUE(world_.RunUntil([&answer] { return answer.has_value(); }));
  return answer.value_or(absl::UnknownError("no answer"));
}

absl::StatusOr<std::string> Machine::Adopt(v1::AdoptRequest::As as) {
  std::optional<absl::StatusOr<std::string>> answer;
  storage_->Adopt(as, [&answer](absl::StatusOr<std::string> done) { answer = std::move(done); });
  EXPECT_TRUE(world_.RunUntil([&answer] { return answer.has_value(); }));
  return answer.value_or(absl::UnknownError("no answer"));
}

}  // namespace zrs::storage
