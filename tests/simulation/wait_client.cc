#include "tests/simulation/wait_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace zrs::simulation {

WaitClient::WaitClient(Cluster& cluster)
    : cluster_(cluster), longest_pause_(cluster.random().OneIn(3) ? absl::Seconds(1) : absl::Seconds(6)) {
  cluster_.SetOnMoved([this](Node& node) { OnMoved(node); });
  AskLater();
}

void WaitClient::AskLater() {
  cluster_.queue().Add(cluster_.random().Delay(absl::ZeroDuration(), longest_pause_), [this] {
    SeededRandom& random = cluster_.random();
    const auto replicas = static_cast<uint32_t>(random.Below(std::min<uint64_t>(cluster_.nodes().size(), 3)));
    if (cluster_.writer().is_open()) Ask(replicas, random.Delay(absl::ZeroDuration(), absl::Seconds(10)));
    AskLater();
  });
}

Checker::Place WaitClient::Present() const { return {cluster_.writer().epoch(), cluster_.writer().history().size()}; }

void WaitClient::Ask(uint32_t replicas, absl::Duration timeout) {
  Node& primary = cluster_.primary();
  if (!primary.running() || cluster_.failing_over() || cluster_.has_backup()) return;
  Question question{replicas, Present(), cluster_.writer().RestoredIn(cluster_.writer().epoch()), &primary, {}};
  for (const auto& node : cluster_.nodes()) question.copies[node.get()] = cluster_.checker().CopiesOf(*node);
  primary.Wait(replicas, timeout,
               [this, question = std::move(question)](const v1::WaitResponse& answer) { OnAnswer(question, answer); });
}

void WaitClient::OnAnswer(const Question& question, const v1::WaitResponse& answer) {
  if (answer.result() != v1::WaitResponse::RESULT_DONE) return;
  ++returned_;
  Checker& checker = cluster_.checker();
  Promise promise{question.committed, {}};
  uint32_t have = 0;
  for (const auto& [node, copies] : question.copies) {
    if (node == question.primary || !checker.HasFollowed(*node, *question.primary)) continue;
    // One of which a person took the copy away since has said that it had it.
    const bool same_copy = checker.CopiesOf(*node) == copies;
    if (same_copy && !checker.HasDurably(*node, question.committed)) continue;
    ++have;
    if (same_copy) promise.copies[node] = copies;
  }
  cluster_.log().Add("client", absl::StrCat("is told: ", answer.message()));
  if (have < std::max<uint32_t>(1, question.replicas)) {
    cluster_.log().Violation(question.primary->name(),
                             absl::StrCat("wait returned for ", question.replicas, " follower(s), and ", have,
                                          " have durably what was committed, ", question.committed.offset,
                                          " bytes of epoch ", question.committed.epoch));
  }
  const bool restored = cluster_.writer().RestoredIn(cluster_.writer().epoch()) != question.restored;
  if (!restored || checker.Has(Present(), question.committed)) return promises_.push_back(std::move(promise));
  if (cluster_.restoring()) return;  // the primary need not have noticed
  cluster_.log().Violation(question.primary->name(),
                           absl::StrCat("wait returned for what the restored backup does not have: ",
                                        question.committed.offset, " bytes of epoch ", question.committed.epoch));
}

void WaitClient::OnMoved(Node& node) {
  std::erase_if(promises_, [&](const Promise& promise) {
    if (cluster_.checker().Has(Present(), promise.committed)) return false;
    const auto had = promise.copies.find(&node);
    if (had != promise.copies.end() && had->second == cluster_.checker().CopiesOf(node)) {
      cluster_.log().Violation(
          node.name(), absl::StrCat("is promoted, and misses what wait returned for: ", promise.committed.offset,
                                    " bytes of epoch ", promise.committed.epoch));
    }
    return true;
  });
}

void WaitClient::AskInTheEnd() {
  returned_before_end_ = returned_;
  if (cluster_.has_secondaries()) Ask(1, absl::InfiniteDuration());
}

bool WaitClient::AnsweredInTheEnd() const { return !cluster_.has_secondaries() || returned_ > returned_before_end_; }

void WaitClient::CheckAll() {
  if (!AnsweredInTheEnd()) {
    cluster_.log().Violation("client", "wait does not return, though all have everything");
  }
  for (const Promise& promise : promises_) {
    if (cluster_.checker().Has(Present(), promise.committed)) continue;
    cluster_.log().Violation("client", absl::StrCat("misses what wait returned for: ", promise.committed.offset,
                                                    " bytes of epoch ", promise.committed.epoch));
  }
}

}  // namespace zrs::simulation
