#include "sidecar/storage/waiters.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"

namespace zrs::storage {

v1::WaitResponse MakeWaitResponse(v1::WaitResponse::Result result, std::string message) {
  v1::WaitResponse response;
  response.set_result(result);
  response.set_message(std::move(message));
  return response;
}

Waiters::Waiters(std::string storage_name, runtime::Runtime& runtime, const Publisher& publisher)
    : storage_name_(std::move(storage_name)), runtime_(runtime), publisher_(publisher) {}

void Waiters::Add(uint64_t offset, uint32_t replicas, absl::Duration timeout, Answer answer) {
  waiters_.push_back({offset, replicas, std::move(answer), nullptr});
  const auto added = std::prev(waiters_.end());
  added->timer = runtime_.After(timeout, [this, added] { OnTimeout(added); });
  Check();
}

bool Waiters::Satisfied(const Waiter& waiter) const {
  const uint32_t wanted = waiter.replicas > 0 ? waiter.replicas : std::max<uint32_t>(1, publisher_.followers());
  return publisher_.followers_at(waiter.offset) >= wanted;
}

void Waiters::Check() {
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    if (!Satisfied(*waiter)) {
      ++waiter;
      continue;
    }
    Answer answer = std::move(waiter->answer);
    const uint64_t offset = waiter->offset;
    waiter = waiters_.erase(waiter);
    answer(MakeWaitResponse(v1::WaitResponse::RESULT_DONE,
                            absl::StrCat("storage ", storage_name_, ": durable up to offset ", offset, " on ",
                                         publisher_.followers_at(offset), " follower(s)")));
  }
}

void Waiters::OnTimeout(std::list<Waiter>::iterator waiter) {
  const uint32_t connected = publisher_.followers();
  const uint32_t have = publisher_.followers_at(waiter->offset);
  Answer answer = std::move(waiter->answer);
  const uint64_t offset = waiter->offset;
  waiters_.erase(waiter);
  if (connected == 0) {
    return answer(MakeWaitResponse(v1::WaitResponse::RESULT_NO_FOLLOWER,
                                   absl::StrCat("storage ", storage_name_, ": no follower is connected")));
  }
  answer(MakeWaitResponse(v1::WaitResponse::RESULT_TIMEOUT,
                          absl::StrCat("storage ", storage_name_, ": time is over; ", have, " of ", connected,
                                       " connected follower(s) have offset ", offset)));
}

void Waiters::Fail(const std::string& why) {
  for (Waiter& waiter : std::exchange(waiters_, {})) {
    waiter.answer(
        MakeWaitResponse(v1::WaitResponse::RESULT_FAILED, absl::StrCat("storage ", storage_name_, ": ", why)));
  }
}

}  // namespace zrs::storage
