// When a state file is written again, where nothing but the durable lower bound in it has changed.
#ifndef ZRS_SIDECAR_STORAGE_STATE_PACE_H_
#define ZRS_SIDECAR_STORAGE_STATE_PACE_H_

#include <cstdint>

#include "absl/time/time.h"

namespace zrs::storage {

// Writing it takes several syncs, on the thread and mostly on the disk that the next commit needs, which then is late
// by tens of milliseconds. And what a newer bound saves is a part of the next start's scan, at gigabytes per second (a
// primary's file is recognised by it too; a file that may be the wrong one has it saved at once, by PrimaryFile). So it
// is written once the interval has passed and either nothing was committed for a moment, or enough was, or the
// interval has passed several times. Not thread-safe; times are those of any clock that does not go back.
class StatePace {
 public:
  explicit StatePace(absl::Duration interval) : interval_(interval) {}

  // What is committed up to `end` (bytes) is, or is being, saved.
  void OnSaved(absl::Duration now, uint64_t end) {
    saved_ = now;
    saved_end_ = end;
    soon_ = false;
  }

  // Something else than the bound is to be saved, without haste.
  void SaveSoon() { soon_ = true; }

  // Whether to save now. To be asked now and then, also while nothing is committed; `end` as it is now.
  bool Due(absl::Duration now, uint64_t end) {
    if (end != end_) {
      end_ = end;
      moved_ = now;
    }
    if (soon_) return true;
    const absl::Duration since = now - saved_;
    if (since < interval_ || end == saved_end_) return false;
    const bool much = end > saved_end_ && end - saved_end_ >= kMuch;
    return much || now - moved_ >= kQuiet || since >= kMostIntervals * interval_;
  }

  static constexpr uint64_t kMuch = 64 << 20;  // bytes
  static constexpr absl::Duration kQuiet = absl::Milliseconds(500);
  static constexpr int kMostIntervals = 6;

 private:
  const absl::Duration interval_;
  absl::Duration saved_;
  uint64_t saved_end_ = 0;
  uint64_t end_ = 0;  // when last asked, and since when
  absl::Duration moved_;
  bool soon_ = false;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_STATE_PACE_H_
