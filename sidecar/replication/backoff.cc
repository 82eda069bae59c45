#include "sidecar/replication/backoff.h"

#include <algorithm>
#include <cassert>

namespace zrs::replication {

Backoff::Backoff(absl::Duration first, absl::Duration most) : first_(first), most_(most), step_(first) {
  assert(first > absl::ZeroDuration() && first <= most);
}

absl::Duration Backoff::Next(uint64_t random) {
  // 53 bits make a double that is uniform over [0, 1).
  const double part = static_cast<double>(random >> 11) / static_cast<double>(uint64_t{1} << 53);
  const absl::Duration delay = step_ - step_ * (part / 2);
  step_ = std::min(step_ * 2, most_);
  return delay;
}

}  // namespace zrs::replication
