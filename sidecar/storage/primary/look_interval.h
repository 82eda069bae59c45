// How soon a primary's file is looked at again when nothing tells of a change.
#ifndef ZRS_SIDECAR_STORAGE_PRIMARY_LOOK_INTERVAL_H_
#define ZRS_SIDECAR_STORAGE_PRIMARY_LOOK_INTERVAL_H_

#include <algorithm>

#include "absl/time/time.h"

namespace zrs::storage {

// Each look wakes up an idle process. Where file notifications have told of everything for a while, looks without one
// become seldom; where one finds what nobody told of, as on a file system that is shared between machines, they are
// frequent again. Not thread-safe.
class LookInterval {
 public:
  static constexpr int kSeldom = 5;   // times as long
  static constexpr int kInVain = 10;  // looks in a row that found nothing

  // `interval`: the configured poll-interval.
  explicit LookInterval(absl::Duration interval) : interval_(interval) {}

  // A look that only the time led to has ended; `found`: there was something new.
  void OnLooked(bool found) { in_vain_ = found ? 0 : std::min(in_vain_ + 1, kInVain); }

  // From now to the next one. `told`: there are file notifications, and nothing about the file needs watching.
  absl::Duration Next(bool told) const { return told && in_vain_ == kInVain ? kSeldom * interval_ : interval_; }

 private:
  const absl::Duration interval_;
  int in_vain_ = 0;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_PRIMARY_LOOK_INTERVAL_H_
