// Transaction ids as points in time, exactly as ZODB's TimeStamp has them.
//
// The high 32 bits count minutes in a calendar of 12 months of 31 days from 1900 on, in UTC:
// (((year - 1900) * 12 + month - 1) * 31 + day - 1) * 1440 + hour * 60 + minute. The low 32 bits are the part of that
// minute that has passed, in units of 60 / 2^32 seconds (14 ns).
#ifndef ZRS_FILESTORAGE_TIMESTAMP_H_
#define ZRS_FILESTORAGE_TIMESTAMP_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "filestorage/format.h"

namespace zrs::filestorage {

// The time that `tid` stands for, rounded up to absl::Time's quarter of a nanosecond, so that TimeStamp's arithmetic
// gives the same tid again. InvalidArgument for a day that no month has (such as February 30). Tid 0 is the start of
// 1900.
absl::StatusOr<absl::Time> TimeFromTid(Tid tid);

// RFC 3339 in UTC with microseconds (what is below them is cut off): "2024-05-01T12:30:00.250000Z".
std::string Rfc3339(absl::Time time);

// The same of a tid, with the nearest microsecond, as ZODB's tools print it. Errors as TimeFromTid.
absl::StatusOr<std::string> Rfc3339FromTid(Tid tid);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_TIMESTAMP_H_
