// When a copy is compared with its upstream's file by itself, and how far that is.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_COMPARISON_SCRUB_SCHEDULE_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_COMPARISON_SCRUB_SCHEDULE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "filestorage/boundary.h"
#include "proto/zrs/v1/admin.pb.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/storage/state_file.h"

namespace zrs::storage {

// Everything on the strand.
class ScrubSchedule {
 public:
  // `interval`: from the end of one to the beginning of the next; zero: never.
  ScrubSchedule(absl::Duration interval, runtime::Runtime& runtime);

  // What is remembered of the process before. The first one begins some minutes after that, at once where one was under
  // way.
  void OnOpened(State::Scrub remembered);
  bool due() const;
  // Where to go on; offset 0: at the beginning.
  const filestorage::Boundary& position() const { return remembered_.position; }
  // All up to there is the same.
  void OnPosition(const filestorage::Boundary& position) { remembered_.position = position; }
  void OnFinished();
  // It could not go on: it is tried again some minutes later.
  void OnFailed(const absl::Status& status);
  // Another file is in the copy's place.
  void OnReplaced();
  const State::Scrub& remembered() const { return remembered_; }

  // `running`: one is under way.
  void FillStatus(bool running, v1::StorageStatus& status) const;

 private:
  const absl::Duration interval_;
  runtime::Runtime& runtime_;
  State::Scrub remembered_;
  absl::Duration due_ = absl::InfiniteDuration();  // by Runtime::Now
  std::string last_error_;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_COMPARISON_SCRUB_SCHEDULE_H_
