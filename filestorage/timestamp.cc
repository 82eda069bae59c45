#include "filestorage/timestamp.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"

namespace zrs::filestorage {
namespace {

constexpr uint64_t kLowMask = 0xffffffff;
constexpr uint64_t kQuarterNanosecondsPerSecond = uint64_t{4'000'000'000};

}  // namespace

absl::StatusOr<absl::Time> TimeFromTid(Tid tid) {
  const uint64_t minutes = tid >> 32;
  const auto minute = static_cast<int>(minutes % 60);
  const auto hour = static_cast<int>(minutes / 60 % 24);
  const auto day = static_cast<int>(minutes / (60 * 24) % 31 + 1);
  const auto month = static_cast<int>(minutes / (60 * 24 * 31) % 12 + 1);
  const auto year = static_cast<int64_t>(minutes / (60 * 24 * 31 * 12) + 1900);
  const absl::CivilMinute civil(year, month, day, hour, minute);
  if (civil.day() != day) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "the transaction id 0x%016x is no time stamp: month %d of %d has no day %d", tid, month, year, day));
  }
  const uint64_t fixed_point = (tid & kLowMask) * 60;  // seconds, with 32 binary places
  const uint64_t quarters = ((fixed_point & kLowMask) * kQuarterNanosecondsPerSecond + kLowMask) >> 32;
  return absl::FromCivil(civil, absl::UTCTimeZone()) + absl::Seconds(fixed_point >> 32) +
         absl::Nanoseconds(1) / 4 * quarters;
}

std::string Rfc3339(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone()); }

absl::StatusOr<std::string> Rfc3339FromTid(Tid tid) {
  const absl::StatusOr<absl::Time> time = TimeFromTid(tid);
  if (!time.ok()) return time.status();
  return Rfc3339(*time + absl::Nanoseconds(500));
}

}  // namespace zrs::filestorage
