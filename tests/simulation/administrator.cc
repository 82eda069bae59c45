#include "tests/simulation/administrator.h"

#include "absl/strings/str_cat.h"
#include "filestorage/file_system.h"

namespace zrs::simulation {
namespace {

constexpr int kPatience = 10;            // so often a resync may be refused
constexpr uint64_t kLongestResync = 60;  // in file operations: a crash comes before, or not at all

// The copy, and what lies saved beside it.
std::string Everything(Node& node) {
  std::string text = node.disk().Contents(kDataPath);
  for (const std::string& path : SavedBytes::Names(node.disk())) absl::StrAppend(&text, path, "\n");
  return text;
}

}  // namespace

Administrator::Administrator(Cluster& cluster) : cluster_(cluster), resyncs_copies_(!cluster.random().OneIn(3)) {}

void Administrator::Mend(Node& node, bool diverged, const std::string& why) {
  if (!resyncs_copies_ || !diverged || !node.running()) return MakeNewCopy(node, why);
  Resync& resync = resyncs_[&node];
  if (resync.asked && resync.life == node.life()) return;
  if (resync.refused >= kPatience) return MakeNewCopy(node, why);
  cluster_.log().Add(node.name(), absl::StrCat(why, "; a person has it resynced"));
  AskFirst(node);
}

void Administrator::OnWell(const Node& node) {
  const auto found = resyncs_.find(&node);
  if (found == resyncs_.end() || (found->second.asked && found->second.life == node.life())) return;
  resyncs_.erase(found);
  cluster_.checker().saved().OnWell(node.name());
}

void Administrator::AskFirst(Node& node) {
  Resync& resync = resyncs_[&node];
  resync.life = node.life();
  resync.asked = true;
  node.Resync(/*dry_run=*/true, [this, &node, before = Everything(node)](const v1::ResyncResponse& plan) {
    if (plan.result() != v1::ResyncResponse::RESULT_PLANNED) return OnRefused(node, plan);
    if (Everything(node) != before) cluster_.log().Violation(node.name(), "has changed files in a dry run");
    GiveUp(node);
  });
}

void Administrator::GiveUp(Node& node) {
  cluster_.checker().OnResync(node);
  cluster_.checker().saved().Begin(node.name(), node.disk());
  SeededRandom& random = cluster_.random();
  if (!calm_ && random.OneIn(2)) {
    const bool host_too = random.OneIn(2);
    node.CrashAtOperation(random.Between(1, kLongestResync), host_too);
  }
  node.Resync(/*dry_run=*/false, [this, &node](const v1::ResyncResponse& answer) { OnGivenUp(node, answer); });
}

void Administrator::OnGivenUp(Node& node, const v1::ResyncResponse& answer) {
  node.ForgetStatus();  // it is of before
  cluster_.checker().saved().OnAnswer(node.name(), node.disk(), answer);
  if (answer.result() == v1::ResyncResponse::RESULT_REFUSED) return OnRefused(node, answer);
  cluster_.log().Add(node.name(), absl::StrCat("is resynced: ", answer.result(), ", gave up ", answer.bytes(),
                                               " bytes behind ", answer.comparison().same_up_to(), ", saved to \"",
                                               answer.saved_to(), "\" ", answer.message()));
  if (answer.result() != v1::ResyncResponse::RESULT_DONE) {
    resyncs_[&node].asked = false;
    return;
  }
  ++done_;
  resyncs_.erase(&node);
}

void Administrator::OnRefused(Node& node, const v1::ResyncResponse& answer) {
  cluster_.log().Add(node.name(), answer.message());
  Resync& resync = resyncs_[&node];
  resync.asked = false;
  ++resync.refused;
}

// The copy is of a file that was packed twice since, and whoever could prove it is gone; or it has transactions that a
// promotion left out.
void Administrator::MakeNewCopy(Node& node, const std::string& why) {
  cluster_.log().Add(node.name(), absl::StrCat(why, "; a person takes the copy away, for a new one"));
  ++new_copies_;
  resyncs_.erase(&node);
  if (!node.gone()) node.Crash(false);
  for (const std::string& path :
       {std::string(kDataPath), absl::StrCat(kDataPath, ".zrs-new"), std::string(kStatePath)}) {
    node.disk().Remove(path).IgnoreError();
    node.disk().SyncDirectory(filestorage::DirectoryOf(path)).IgnoreError();
  }
  cluster_.checker().ForgetCopy(node);
}

}  // namespace zrs::simulation
