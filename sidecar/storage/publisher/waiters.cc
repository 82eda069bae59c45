#include "sidecar/storage/publisher/waiters.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace zrs::storage {
namespace {

// For one storage, from a socket that only its user and root can reach.
constexpr size_t kMostWaiters = 1000;

}  // namespace

v1::WaitResponse MakeWaitResponse(v1::WaitResponse::Result result, std::string message) {
  v1::WaitResponse response;
  response.set_result(result);
  response.set_message(std::move(message));
  return response;
}

Waiters::Waiters(std::string storage_name, runtime::Runtime& runtime, const Publisher& publisher)
    : storage_name_(std::move(storage_name)), runtime_(runtime), publisher_(publisher) {}

void Waiters::Add(uint32_t replicas, absl::Duration timeout, Wanted wanted, Answer answer) {
  Check();  // lets go of those who have given up
  if (waiters_.size() >= kMostWaiters) {
    return answer(Failed(absl::StrCat(kMostWaiters, " wait already")));
  }
  waiters_.push_back(
      {.number = ++newest_, .replicas = replicas, .wanted = std::move(wanted), .answer = std::move(answer)});
  const auto added = std::prev(waiters_.end());
  if (timeout != absl::InfiniteDuration()) {
    added->timer = runtime_.After(timeout, [this, added] { OnTimeout(added); });
  }
  Check();
}

void Waiters::OnLooked(uint64_t newest, const absl::StatusOr<uint64_t>& end) {
  for (auto waiter = waiters_.begin(); waiter != waiters_.end() && waiter->number <= newest;) {
    const auto looked = waiter++;
    if (looked->offset) continue;
    if (end.ok() && !Hopeless(*looked)) {
      looked->expects = publisher_.followers() == 0;
      looked->offset = *end;
      continue;
    }
    Answer answer = std::move(looked->answer);
    waiters_.erase(looked);
    answer(end.ok() ? NoFollower() : Failed(end.status().message()));
  }
  Check();
}

bool Waiters::HasUnlooked() const {
  return std::any_of(waiters_.begin(), waiters_.end(), [](const Waiter& waiter) { return !waiter.offset; });
}

uint32_t Waiters::NeededBy(const Waiter& waiter) const {
  return waiter.replicas > 0 ? waiter.replicas : std::max<uint32_t>(1, publisher_.followers());
}

bool Waiters::Hopeless(const Waiter& waiter) const {
  return (!waiter.offset || waiter.expects) && !waiter.timer && publisher_.followers() == 0 &&
         publisher_.expects_followers() == absl::ZeroDuration();
}

void Waiters::CheckWhenNobodyIsExpected() {
  const absl::Duration time = publisher_.expects_followers();
  if (time == absl::ZeroDuration() || waiters_.empty()) return nobody_expected_.reset();
  nobody_expected_ = runtime_.After(time, [this] { Check(); });
}

void Waiters::Check() {
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    if (!waiter->wanted()) {
      waiter = waiters_.erase(waiter);
      continue;
    }
    // Without a publication nobody can be connected, and that says nothing: they come back when there is one.
    if (publisher_.publication() && Hopeless(*waiter)) {
      Answer answer = std::move(waiter->answer);
      waiter = waiters_.erase(waiter);
      answer(NoFollower());
      continue;
    }
    waiter->expects = waiter->expects && publisher_.followers() == 0;
    if (!waiter->offset || publisher_.followers_at(*waiter->offset) < NeededBy(*waiter)) {
      ++waiter;
      continue;
    }
    Answer answer = std::move(waiter->answer);
    const uint64_t offset = *waiter->offset;
    waiter = waiters_.erase(waiter);
    answer(MakeWaitResponse(v1::WaitResponse::RESULT_DONE,
                            absl::StrCat("storage ", storage_name_, ": durable up to offset ", offset, " on ",
                                         publisher_.followers_at(offset), " follower(s)")));
  }
  CheckWhenNobodyIsExpected();
}

void Waiters::OnReplaced(uint64_t end) {
  for (Waiter& waiter : waiters_) {
    if (waiter.offset) waiter.offset = end;
  }
}

v1::WaitResponse Waiters::Failed(absl::string_view why) const {
  return MakeWaitResponse(v1::WaitResponse::RESULT_FAILED, absl::StrCat("storage ", storage_name_, ": ", why));
}

v1::WaitResponse Waiters::NoFollower() const {
  return MakeWaitResponse(v1::WaitResponse::RESULT_NO_FOLLOWER,
                          absl::StrCat("storage ", storage_name_,
                                       ": no follower is connected; zrs status on the secondary's host tells why"));
}

void Waiters::OnTimeout(std::list<Waiter>::iterator waiter) {
  Waiter late = std::move(*waiter);
  waiters_.erase(waiter);
  Answer answer = std::move(late.answer);
  if (!late.offset) {
    return answer(MakeWaitResponse(v1::WaitResponse::RESULT_TIMEOUT,
                                   absl::StrCat("storage ", storage_name_,
                                                ": the time is over, and its file is still being looked through, has "
                                                "no name at present, or ends in the middle of a transaction that is "
                                                "finished; zrs status tells which")));
  }
  if (publisher_.followers() == 0) return answer(NoFollower());
  const uint64_t offset = *late.offset;
  const std::vector<std::string> behind = publisher_.followers_behind(offset);
  answer(MakeWaitResponse(
      v1::WaitResponse::RESULT_TIMEOUT,
      absl::StrCat("storage ", storage_name_, ": the time is over; offset ", offset, " is durable on ",
                   publisher_.followers_at(offset), " follower(s), and ", NeededBy(late), " were wanted",
                   behind.empty() ? "" : absl::StrCat("; behind: ", absl::StrJoin(behind, ", ")),
                   "; zrs status tells how they are doing")));
}

void Waiters::Fail(const std::string& why) {
  for (Waiter& waiter : std::exchange(waiters_, {})) waiter.answer(Failed(why));
}

}  // namespace zrs::storage
