// How soon the next one of many events may be looked at, where a few at once are welcome and an endless stream is not.
#ifndef ZRS_SIDECAR_RUNTIME_PACE_H_
#define ZRS_SIDECAR_RUNTIME_PACE_H_

#include <algorithm>

#include "absl/time/time.h"

namespace zrs::runtime {

// Lets `burst` events pass without delay, and beyond them one each `interval` (the generic cell rate algorithm). Not
// thread-safe.
class Pace {
 public:
  Pace(absl::Duration interval, int burst) : interval_(interval), allowance_(interval * burst) {}

  // An event happens at `now`, on any clock that does not go back: how long the next one is to wait.
  absl::Duration Next(absl::Duration now) {
    due_ = std::max(due_, now) + interval_;
    return std::max(absl::ZeroDuration(), due_ - now - allowance_);
  }

 private:
  const absl::Duration interval_;
  const absl::Duration allowance_;
  absl::Duration due_ = -absl::InfiniteDuration();  // of the next event, were they spaced evenly
};

}  // namespace zrs::runtime

#endif  // ZRS_SIDECAR_RUNTIME_PACE_H_
