#include "filestorage/timestamp.h"

#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"

namespace zrs::filestorage {
namespace {

constexpr uint64_t kLowMask = 0xffffffff;
constexpr uint64_t kQuarterNanosecondsPerSecond = uint64_t{4'000'000'000};
// As in persistent's _timestamp.c: what one unit of the low half is worth, in seconds (exact in binary).
constexpr double kUnit = 60.0 / 65536.0 / 65536.0;

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

absl::StatusOr<Tid> TidFromTime(absl::Time time) {
  const absl::CivilMinute civil = absl::ToCivilMinute(time, absl::UTCTimeZone());
  // Checked before the arithmetic, which the years of an infinite time would overflow.
  const bool possible = civil.year() >= 1900 && civil.year() <= 9999;
  const int64_t months = possible ? (civil.year() - 1900) * 12 + civil.month() - 1 : 0;
  const int64_t minutes = ((months * 31 + civil.day() - 1) * 24 + civil.hour()) * 60 + civil.minute();
  if (!possible || minutes > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError(absl::StrCat(absl::FormatTime(time, absl::UTCTimeZone()),
                                                   " is outside of what a transaction id can express (1900 to 9917)"));
  }
  // In floating point, as TimeStamp does it, so that the same seconds give the same tid.
  const double seconds = absl::ToDoubleSeconds(time - absl::FromCivil(civil, absl::UTCTimeZone()));
  return static_cast<uint64_t>(minutes) << 32 | static_cast<uint32_t>(seconds / kUnit);
}

std::string Rfc3339(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone()); }

absl::StatusOr<std::string> Rfc3339FromTid(Tid tid) {
  const absl::StatusOr<absl::Time> time = TimeFromTid(tid);
  if (!time.ok()) return time.status();
  return Rfc3339(*time + absl::Nanoseconds(500));
}

}  // namespace zrs::filestorage
