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
  // `rate`: bytes per second, on average; 0: no bound. So many bytes as `burst` pass at once after a pause.
  explicit ByteRate(uint64_t rate, uint64_t burst = 0) : rate_(rate), allowance_(TimeFor(burst)) {}

  // `bytes` are to be worked on, at `now` on any clock that does not go back: how long to wait before that.
  absl::Duration Take(absl::Duration now, uint64_t bytes) {
    if (rate_ == 0) return absl::ZeroDuration();
    due_ = std::max(due_, now);
    const absl::Duration wait = std::max(absl::ZeroDuration(), due_ - now - allowance_);
    due_ += TimeFor(bytes);
    return wait;
  }

 private:
  absl::Duration TimeFor(uint64_t bytes) const {
    if (rate_ == 0) return absl::ZeroDuration();
    return absl::Seconds(static_cast<double>(bytes) / static_cast<double>(rate_));
  }

  const uint64_t rate_;
  const absl::Duration allowance_;
  absl::Duration due_ = -absl::InfiniteDuration();  // of the next bytes
};

}  // namespace zrs::runtime

#endif  // ZRS_SIDECAR_RUNTIME_BYTE_RATE_H_
