// Bounds how many bytes in a second some work takes.
#ifndef ZRS_SIDECAR_RUNTIME_BYTE_RATE_H_
#define ZRS_SIDECAR_RUNTIME_BYTE_RATE_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace zrs::runtime {

// Not thread-safe.
class ByteRate {
 public:
  // `rate`: bytes per second, on average; 0: no bound.
  explicit ByteRate(uint64_t rate) : rate_(rate) {}

  // `bytes` are to be worked on, at `now` on any clock that does not go back: how long to wait before that.
  absl::Duration Take(absl::Duration now, uint64_t bytes) {
    if (rate_ == 0) return absl::ZeroDuration();
    due_ = std::max(due_, now);
    const absl::Duration wait = due_ - now;
    due_ += absl::Seconds(static_cast<double>(bytes) / static_cast<double>(rate_));
    return wait;
  }

 private:
  uint64_t rate_;
  absl::Duration due_ = -absl::InfiniteDuration();  // of the next bytes
};

}  // namespace zrs::runtime

#endif  // ZRS_SIDECAR_RUNTIME_BYTE_RATE_H_
