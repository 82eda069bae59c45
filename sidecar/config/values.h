// The datatypes of values, as ZConfig's of the same names, strictly: the whole value is used or it is an error.
// Every error is InvalidArgument "what; remedy"; who calls adds where.
#ifndef ZRS_SIDECAR_CONFIG_VALUES_H_
#define ZRS_SIDECAR_CONFIG_VALUES_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace zrs::config {

// on, yes, true; off, no, false. In any case.
absl::StatusOr<bool> ParseBoolean(absl::string_view text);

// Decimal digits, with a sign or without.
absl::StatusOr<int64_t> ParseInteger(absl::string_view text);

// A decimal number, with a fraction or without, and a unit: ms, s, m, h, d; no unit is seconds. Never negative; at most
// 3650 days. Fractions beyond a nanosecond are cut.
absl::StatusOr<absl::Duration> ParseTimeInterval(absl::string_view text);

// What ParseTimeInterval reads as `interval`, which it could have returned: in the largest unit of which it is a whole
// number.
std::string TimeIntervalText(absl::Duration interval);

// Decimal digits and a unit: KB, MB, GB of 1024, 1024^2, 1024^3 bytes; no unit is bytes.
absl::StatusOr<uint64_t> ParseByteSize(absl::string_view text);

// What ParseByteSize reads as `size`: in the largest unit of which it is a whole number.
std::string ByteSizeText(uint64_t size);

// Permission bits in octal digits, up to 777. The owner has to be able to read and write.
absl::StatusOr<uint32_t> ParseMode(absl::string_view text);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_VALUES_H_
