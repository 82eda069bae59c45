#include "sidecar/storage/status_text.h"

#include <algorithm>

#include "filestorage/timestamp.h"

namespace zrs::storage {

std::string Rfc3339(absl::Time time) { return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E6SZ", time, absl::UTCTimeZone()); }

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
