// How long to wait before trying again. No clock and no randomness of its own: both are the caller's.
#ifndef ZRS_SIDECAR_REPLICATION_BACKOFF_H_
#define ZRS_SIDECAR_REPLICATION_BACKOFF_H_

#include <cstdint>

#include "absl/time/time.h"

namespace zrs::replication {

// Delays that double from `first` to `most`, each shortened by up to a half so that many followers of a publisher that
// went away do not come back at one moment. Not thread-safe.
class Backoff {
 public:
  // 0 < first <= most.
  explicit Backoff(absl::Duration first = absl::Milliseconds(100), absl::Duration most = absl::Seconds(10));

  // The next delay: between half and all of the present step; then the step doubles. `random` is uniform over all
  // values of its type.
  absl::Duration Next(uint64_t random);

  // It worked: begin with the first step again.
  void Reset() { step_ = first_; }

 private:
  absl::Duration first_;
  absl::Duration most_;
  absl::Duration step_;
};

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_BACKOFF_H_
