#include "sidecar/storage/status_fields.h"

#include <algorithm>

#include "filestorage/format.h"
#include "filestorage/timestamp.h"

namespace zrs::storage {

void FillPosition(const filestorage::Boundary& end, v1::StorageStatus& status) {
  status.set_committed_end(end.offset);
  if (end.tid == 0) return;
  status.set_last_tid(filestorage::TidHex(end.tid));
  if (const auto time = filestorage::Rfc3339FromTid(end.tid); time.ok()) status.set_last_tid_time(*time);
}

void FillProgress(const Work& work, v1::Progress& progress) {
  progress.set_bytes(work.done);
  progress.set_total(std::max(work.total, work.done));
  const double seconds = absl::ToDoubleSeconds(work.elapsed);
  if (work.done <= work.start || seconds <= 0) return;
  const double rate = static_cast<double>(work.done - work.start) / seconds;
  progress.set_rate(rate);
  progress.set_seconds_left(static_cast<double>(progress.total() - work.done) / rate);
}

}  // namespace zrs::storage
