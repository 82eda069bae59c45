#include "tests/simulation/schedule.h"

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/simulation/administrator.h"
#include "tests/simulation/cluster.h"
#include "tests/simulation/failover.h"
#include "tests/simulation/lost_state.h"
#include "tests/simulation/restore.h"
#include "tests/simulation/wait_client.h"

namespace zrs::simulation {
namespace {

constexpr uint64_t kMostEvents = 5'000'000;  // a run that needs more goes round in circles
constexpr absl::Duration kStatusInterval = absl::Seconds(3);
constexpr absl::Duration kAnswerTime = absl::Milliseconds(1);    // a status is there by then, and not old
constexpr absl::Duration kSecondPack = absl::Milliseconds(300);  // comes within this time, where one does
constexpr absl::Duration kPeaceAfterFaults = absl::Seconds(5);  // in which the writer goes on: ten transactions or more
constexpr absl::Duration kStopTimeout = absl::Seconds(5);

// Makes the faults of one run, then heals them and waits for the copies.
class Schedule {
 public:
  explicit Schedule(const ScheduleOptions& options)
      : options_(options),
        cluster_(options),
        failover_(cluster_),
        restore_(cluster_),
        lost_state_(cluster_),
        administrator_(cluster_),
        wait_client_(cluster_) {}

  ScheduleResult Run() {
    for (const auto& node : cluster_.nodes()) cluster_.StartLater(*node, Within(absl::Seconds(2)));
    ChooseFaults();
    FaultLater();
    WatchStatus();
    RunTo(random().Delay(options_.longest_faults / 3, options_.longest_faults));
    Heal();
    AwaitCopies();
    StayEqual();
    StopAll();
    return Result();
  }

 private:
  using FaultMaker = void (Schedule::*)();

  EventQueue& queue() { return cluster_.queue(); }
  SeededRandom& random() { return cluster_.random(); }
  EventLog& log() { return cluster_.log(); }
  SimulatedNetwork& network() { return cluster_.network(); }
  absl::Duration Within(absl::Duration most) { return random().Delay(absl::ZeroDuration(), most); }
  Node& AnyNode() { return *cluster_.nodes()[random().Below(cluster_.nodes().size())]; }
  Node& AnySecondary() {
    Node& node = AnyNode();
    return node.is_primary() ? AnySecondary() : node;
  }

  // Runs until `done` says so, for at most `time`, or until a rule is broken. True when `done` said so.
  bool RunFor(absl::Duration time, const std::function<bool()>& done);
  void RunTo(absl::Duration moment) {
    RunFor(moment - queue().now(), [] { return false; });
  }

  void ChooseFaults();
  void FaultLater();
  void CrashNow();
  void CrashInFileOperation();
  void RestartInOrder();
  void KillWriter();
  void Cut();
  void Block();
  void Corrupt();
  void FillDisk();
  void FailSyncs() { AnySecondary().FailSync(random().Between(1, 4)); }  // seldom the first of a group
  void FailOperation();
  void Pack();
  void RestoreBackup() { restore_.BeginForAWhile(); }
  void GoOnFromBackup() { restore_.BeginForGood(); }
  void LosePrimarysState() { lost_state_.BeginAtPrimary(); }
  void LoseSecondarysState() { lost_state_.BeginAtSecondary(AnySecondary()); }
  void FailOver();

  void WatchStatus();
  void Judge(Node& node);
  // True where nothing else is to be judged.
  bool JudgeRole(Node& node, const v1::StorageStatus& status);
  void Heal();
  void AwaitCopies();
  void StayEqual();
  void StopAll();
  bool AllEqual();
  ScheduleResult Result();

  const ScheduleOptions options_;
  Cluster cluster_;
  Failover failover_;
  Restore restore_;
  LostState lost_state_;
  Administrator administrator_;
  WaitClient wait_client_;
  std::vector<FaultMaker> faults_;  // those that this run makes
  absl::Duration longest_peace_;    // between two faults
  bool healing_ = false;
  bool stopping_ = false;
};

bool Schedule::RunFor(absl::Duration time, const std::function<bool()>& done) {
  const bool stopped = queue().RunUntil(queue().now() + time, [&] {
    if (queue().events_run() > kMostEvents) log().Violation("schedule", "the run does not come to an end");
    return !log().violation().empty() || done();
  });
  return stopped && log().violation().empty();
}

// ---- Faults

// Each run has some kinds of faults and not others: all of them all the time would hide what needs calm to go wrong.
void Schedule::ChooseFaults() {
  const auto some_of = [this](std::initializer_list<FaultMaker> all) {
    for (const FaultMaker fault : all) {
      if (random().OneIn(2)) faults_.push_back(fault);
    }
  };
  longest_peace_ = random().OneIn(3) ? absl::Milliseconds(800) : absl::Seconds(5);
  some_of({&Schedule::CrashNow, &Schedule::CrashInFileOperation, &Schedule::KillWriter, &Schedule::RestartInOrder,
           &Schedule::Corrupt, &Schedule::Pack});
  if (options_.failing_disks) faults_.push_back(&Schedule::FailOperation);
  if (options_.backups) faults_.push_back(&Schedule::RestoreBackup);
  if (options_.restores && random().OneIn(4)) faults_.push_back(&Schedule::GoOnFromBackup);
  if (options_.lost_states && random().OneIn(4)) faults_.push_back(&Schedule::LosePrimarysState);
  if (!cluster_.has_secondaries()) return;
  if (options_.lost_states && random().OneIn(4)) faults_.push_back(&Schedule::LoseSecondarysState);
  some_of({&Schedule::Cut, &Schedule::Block, &Schedule::FillDisk, &Schedule::FailOver});
  if (options_.failing_syncs) faults_.push_back(&Schedule::FailSyncs);
}

void Schedule::FaultLater() {
  queue().Add(Within(longest_peace_), [this] {
    if (healing_ || faults_.empty()) return;
    (this->*faults_[random().Below(faults_.size())])();
    FaultLater();
  });
}

void Schedule::CrashNow() { AnyNode().Crash(random().OneIn(2)); }

void Schedule::CrashInFileOperation() {
  Node& node = AnyNode();
  const bool host_too = random().OneIn(2);
  const uint64_t n = random().Between(1, random().OneIn(2) ? 10 : 100);
  node.CrashAtOperation(n, host_too);
}

void Schedule::RestartInOrder() {
  Node& node = AnyNode();
  if (node.running()) node.Stop(Within(kStopTimeout));
  cluster_.StartLater(node, Within(absl::Seconds(9)));
}

void Schedule::KillWriter() {
  cluster_.writer().Kill();
  cluster_.OpenWriterLater(Within(absl::Seconds(2)));
}

void Schedule::Cut() {
  const Node& node = AnySecondary();
  const std::string& upstream = cluster_.AnyUpstreamOf(node);
  const bool half_open = random().OneIn(2);
  log().Add("schedule", absl::StrCat("cuts ", node.name(), " from ", upstream, half_open ? ", half-open" : ""));
  network().Cut(node.name(), upstream, half_open);
}

void Schedule::Block() {
  const Node& node = AnySecondary();
  const std::string& upstream = cluster_.AnyUpstreamOf(node);
  log().Add("schedule", absl::StrCat("blocks the way from ", node.name(), " to ", upstream));
  network().Cut(node.name(), upstream, random().OneIn(2));
  network().Block(node.name(), upstream, Within(absl::Seconds(8)));
}

void Schedule::Corrupt() {
  log().Add("schedule", "corrupts the next batch");
  network().CorruptNextBatch();
}

void Schedule::FillDisk() {
  Node& node = AnySecondary();
  const uint64_t room = random().OneIn(2) ? 0 : random().Below(20000);
  log().Add("schedule", absl::StrCat("leaves ", node.name(), " only ", room, " bytes of disk"));
  node.disk().SetCapacity(node.UsedBytes() + room);
  queue().Add(Within(absl::Seconds(6)), [this, &node] {
    log().Add("schedule", absl::StrCat("makes room on the disk of ", node.name()));
    node.disk().SetCapacity(UINT64_MAX);
  });
}

// A primary that cannot read the file before a pack takes the pack for another file, and itself for diverged.
void Schedule::FailOperation() {
  Node& node = AnyNode();
  if (options_.packs && node.is_primary()) return;
  node.FailOperation(random().Between(1, random().OneIn(2) ? 10 : 100));
}

void Schedule::Pack() {
  if (!options_.packs) return;
  cluster_.Pack();
  if (random().OneIn(3)) queue().Add(Within(kSecondPack), [this] { cluster_.Pack(); });
}

void Schedule::FailOver() {
  if (options_.promotions) failover_.Begin(AnySecondary());
}

// ---- What the storages say of themselves

void Schedule::WatchStatus() {
  for (const auto& node : cluster_.nodes()) node->AskStatus();
  queue().Add(kAnswerTime, [this] {
    for (const auto& node : cluster_.nodes()) Judge(*node);
  });
  queue().Add(kStatusInterval, [this] { WatchStatus(); });
}

// A storage that stops needs a person. Where nothing happened that may stop one, that is a failure of its own;
// elsewhere the person restarts it.
void Schedule::Judge(Node& node) {
  const v1::StorageStatus status = node.status();
  node.ForgetStatus();
  if (status.role() == "primary" && JudgeRole(node, status)) return;
  if (restore_.Judge(node, status) || lost_state_.Judge(node, status)) return;
  if (stopping_ || status.state().empty()) return;
  // One that is promoted and killed may be back before its administrator knows of the promotion. It is looked at again.
  if (status.state() == "diverged" && cluster_.failing_over()) return;
  if (status.state() != "stopped" && status.state() != "diverged") return administrator_.OnWell(node);
  if (status.state() == "diverged" && failover_.MeetsRival(node, status)) {
    return log().Add(node.name(), status.error().message());
  }
  // A power loss may leave unsound bytes behind what ZODB has synced; they are there until the writer cuts them off.
  const bool excused = status.state() == "stopped" &&
                       (node.had_failure_of_any_kind() || (node.is_primary() && cluster_.primary_host_crashed()));
  const std::string what = absl::StrCat("is ", status.state(), ": ", status.error().message());
  const bool past_a_fork = !node.is_primary() && cluster_.checker().IsPastAFork(node);
  // The file that was left here may have been packed while no zrs looked.
  if (status.state() == "stopped" && past_a_fork && node.was_primary()) return administrator_.Mend(node, false, what);
  if (status.state() == "diverged" && !node.is_primary() &&
      (past_a_fork || cluster_.checker().MayBeUnproved(node) || administrator_.IsMending(node) ||
       lost_state_.MayDiffer(node))) {
    return administrator_.Mend(node, true, what);
  }
  if (!excused) return log().Violation(node.name(), what);
  log().Add(node.name(), what);
  if (node.running()) node.Crash(false);
}

// A host that was the primary takes itself for that until it is started again, and one that was promoted until a person
// tells it. One that was promoted without having heard of an earlier promotion is superseded, until a person says that
// it is the right one.
bool Schedule::JudgeRole(Node& node, const v1::StorageStatus& status) {
  if (cluster_.failing_over() || !node.running()) return !node.is_primary();
  if (!node.is_primary() && node.had_failure() && status.state() == "stopped") {
    node.Crash(false);
    return true;
  }
  if (!node.is_primary() && !cluster_.IsStale(node)) node.Demote();
  if (node.is_primary() && status.state() == "superseded") {
    node.Promote(
        v1::PromoteRequest::UPSTREAM_NO_MATTER, [] { return true; },
        [this, &node](const v1::PromotedStorage& answer) {
          log().Add(node.name(), absl::StrCat("is said to be the right one: generation ", answer.generation()));
        });
  }
  return !node.is_primary();
}

// ---- After the faults

void Schedule::Heal() {
  RunFor(options_.heal_time, [this] { return !cluster_.failing_over(); });
  log().Add("schedule", "heals everything");
  healing_ = true;
  administrator_.SetCalm();
  restore_.SetCalm();
  lost_state_.SetCalm();
  cluster_.EndStale();
  cluster_.PutBackRightFile();
  network().Unblock();
  for (const auto& node : cluster_.nodes()) {
    node->disk().SetCapacity(UINT64_MAX);
    node->CrashAtOperation(0, false);
    node->FailSync(0);
    node->FailOperation(0);
    cluster_.StartLater(*node, absl::ZeroDuration());
  }
  cluster_.OpenWriterLater(absl::ZeroDuration());
  // Some transactions are there to be followed after the faults too.
  RunFor(kPeaceAfterFaults, [] { return false; });
  if (random().OneIn(3)) {
    Pack();
    RunFor(kSecondPack, [] { return false; });
  }
  cluster_.SetWriting(false);
  RunFor(absl::Seconds(5), [this] { return !cluster_.writer().busy(); });
}

bool Schedule::AllEqual() {
  return std::all_of(cluster_.nodes().begin(), cluster_.nodes().end(),
                     [this](const auto& node) { return node->is_primary() || cluster_.checker().IsEqual(*node); });
}

void Schedule::AwaitCopies() {
  const absl::Duration deadline = queue().now() + options_.heal_time;
  while (queue().now() < deadline) {
    if (!log().violation().empty() || (AllEqual() && cluster_.checker().HaveOneIdentity())) return;
    RunFor(absl::Milliseconds(200), [] { return false; });
  }
  for (const auto& node : cluster_.nodes()) {
    if (cluster_.checker().IsEqual(*node)) continue;
    log().Violation(node->name(),
                    absl::StrCat("does not become equal to the primary's ", cluster_.writer().history().size(),
                                 " bytes, it has ", node->disk().Contents(kDataPath).size()));
  }
}

void Schedule::StayEqual() {
  if (!log().violation().empty()) return;
  wait_client_.AskInTheEnd();
  RunFor(absl::Seconds(3), [] { return false; });
  // A disk may be stuck twice in a row.
  RunFor(absl::Seconds(10), [this] { return wait_client_.AnsweredInTheEnd(); });
  wait_client_.CheckAll();
  for (const auto& node : cluster_.nodes()) {
    if (node->is_primary()) continue;
    if (!cluster_.checker().IsDurablyEqual(*node)) log().Violation(node->name(), "is equal, and could lose it");
    if (!cluster_.checker().HasAcknowledgedAll(*node))
      log().Violation(node->name(), "does not acknowledge what it has");
    cluster_.checker().saved().Check(node->name(), node->disk());
    cluster_.checker().CheckIdentity(*node);
    if (node->disk().Exists(absl::StrCat(kDataPath, ".zrs-new"))) log().Violation(node->name(), "leaves its new file");
  }
}

void Schedule::StopAll() {
  stopping_ = true;
  cluster_.End();
  if (!log().violation().empty()) return;
  for (const auto& node : cluster_.nodes()) {
    if (!node->running()) log().Violation(node->name(), "is not running at the end");
  }
  for (const auto& node : cluster_.nodes()) {
    if (node->running()) node->Stop(kStopTimeout);
  }
  const auto all_gone = [this] {
    return std::all_of(cluster_.nodes().begin(), cluster_.nodes().end(), [](const auto& node) { return node->gone(); });
  };
  // The streams' own closing takes some seconds where a peer is gone already.
  if (!RunFor(kStopTimeout + absl::Seconds(20), all_gone)) log().Violation("schedule", "a storage does not stop");
  if (!AllEqual()) log().Violation("schedule", "a copy is not equal any more after the storages have stopped");
}

ScheduleResult Schedule::Result() {
  return {.violation = log().violation(),
          .log = options_.log_if_good || !log().violation().empty() ? log().Text() : "",
          .transactions = cluster_.writer().transactions(),
          .bytes = cluster_.writer().history().size(),
          .batches = cluster_.checker().batches(),
          .crashes = cluster_.crashes(),
          .events = queue().events_run(),
          .packs = cluster_.packs(),
          .refused_backups = restore_.refused(),
          .restores = restore_.restores(),
          .lost_by_primaries = lost_state_.primaries(),
          .lost_by_secondaries = lost_state_.secondaries(),
          .told = lost_state_.told(),
          .new_copies = administrator_.new_copies(),
          .resyncs = administrator_.resyncs(),
          .waits = wait_client_.returned(),
          .promotions = failover_.promotions()};
}

}  // namespace

ScheduleResult RunSchedule(const ScheduleOptions& options) { return Schedule(options).Run(); }

}  // namespace zrs::simulation
