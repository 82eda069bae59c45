// Amounts and times as people read them.
#ifndef ZRS_SIDECAR_ADMIN_HUMAN_UNITS_H_
#define ZRS_SIDECAR_ADMIN_HUMAN_UNITS_H_

#include <string>

#include "absl/time/time.h"

namespace zrs::admin {

// Decimal units with one digit behind the point, "999 B" to "1.5 PB" and on. What is below 0 counts as 0.
std::string HumanBytes(double bytes);

// "0 s", "350 ms", "2.5 s", "42 s", "3 min", "5 h", "12 days": two or three digits, in the largest unit of which there
// are two (seconds and less: one). What is below 0, as after a clock was set back, counts as 0.
std::string HumanDuration(absl::Duration duration);

}  // namespace zrs::admin

#endif  // ZRS_SIDECAR_ADMIN_HUMAN_UNITS_H_
