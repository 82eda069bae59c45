#include "sidecar/storage/status_text.h"

#include <algorithm>

#include "filestorage/timestamp.h"

namespace zrs::storage {

std::optional<absl::Time> TimeOfTransaction(filestorage::Tid tid) {
  if (tid == 0) return std::nullopt;
  const auto time = filestorage::TimeFromTid(tid);
  if (!time.ok()) return std::nullopt;
  return *time;
}

std::optional<double> AgeOfTransaction(filestorage::Tid tid, absl::Time now) {
  const auto time = TimeOfTransaction(tid);
  if (!time) return std::nullopt;
  return std::max(0.0, absl::ToDoubleSeconds(now - *time));
}

}  // namespace zrs::storage
