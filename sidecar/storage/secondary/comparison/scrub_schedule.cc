#include "sidecar/storage/secondary/comparison/scrub_schedule.h"

#include <algorithm>
#include <utility>

#include "filestorage/timestamp.h"

namespace zrs::storage {
namespace {

constexpr absl::Duration kFirst = absl::Minutes(1);
constexpr absl::Duration kAgain = absl::Minutes(5);

}  // namespace

ScrubSchedule::ScrubSchedule(absl::Duration interval, runtime::Runtime& runtime)
    : interval_(interval), runtime_(runtime) {}

void ScrubSchedule::OnOpened(State::Scrub remembered) {
  remembered_ = std::move(remembered);
  if (interval_ <= absl::ZeroDuration()) return;
  absl::Duration wait = std::min(kFirst, interval_);
  absl::Time finished;
  const bool resumed = remembered_.position.offset != 0;
  if (!resumed && absl::ParseTime(absl::RFC3339_full, remembered_.finished, &finished, nullptr)) {
    // The clock may have been set meanwhile: then it is later or sooner, once.
    wait = std::clamp(finished + interval_ - runtime_.UnixNow(), wait, interval_);
  }
  due_ = runtime_.Now() + wait;
}

bool ScrubSchedule::due() const { return runtime_.Now() >= due_; }

void ScrubSchedule::OnFinished() {
  remembered_ = {{}, filestorage::Rfc3339(runtime_.UnixNow())};
  last_error_.clear();
  due_ = runtime_.Now() + interval_;
}

void ScrubSchedule::OnFailed(const absl::Status& status) {
  last_error_ = std::string(status.message());
  due_ = runtime_.Now() + std::min(kAgain, interval_);
}

void ScrubSchedule::OnReplaced() { remembered_.position = {}; }

void ScrubSchedule::FillStatus(bool running, v1::StorageStatus& status) const {
  if (interval_ <= absl::ZeroDuration()) return;
  v1::Scrub& scrub = *status.mutable_scrub();
  if (!remembered_.finished.empty()) scrub.set_finished(remembered_.finished);
  if (!last_error_.empty()) scrub.set_last_error(last_error_);
  if (remembered_.position.offset != 0) scrub.set_position(remembered_.position.offset);
  if (running || due_ == absl::InfiniteDuration()) return;
  const absl::Duration left = std::max(absl::ZeroDuration(), due_ - runtime_.Now());
  scrub.set_next(filestorage::Rfc3339(runtime_.UnixNow() + left));
}

}  // namespace zrs::storage
