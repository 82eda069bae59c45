#include "tests/support/encode.h"

#include <cstdint>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

namespace zrs::tests {
namespace {

// As in persistent's _timestamp.c: what one unit of the low half is worth, in seconds (exact in binary).
constexpr double kUnit = 60.0 / 65536.0 / 65536.0;

void AppendNumber(uint64_t value, int size, std::string* out) {
  char bytes[8];
  for (int i = 0; i < size; ++i) bytes[i] = static_cast<char>(value >> 8 * (size - 1 - i) & 0xff);
  out->append(bytes, static_cast<size_t>(size));
}

}  // namespace

std::string EncodeTransactionHeader(const filestorage::TransactionHeader& header) {
  std::string out;
  out.reserve(filestorage::kTransactionHeaderSize);
  AppendNumber(header.tid, 8, &out);
  AppendNumber(header.length, 8, &out);
  out.push_back(header.status);
  AppendNumber(header.user_length, 2, &out);
  AppendNumber(header.description_length, 2, &out);
  AppendNumber(header.extension_length, 2, &out);
  return out;
}

std::string EncodeDataHeader(const filestorage::DataHeader& header) {
  std::string out;
  out.reserve(filestorage::kDataHeaderSize);
  AppendNumber(header.oid, 8, &out);
  AppendNumber(header.tid, 8, &out);
  AppendNumber(header.previous, 8, &out);
  AppendNumber(header.transaction_position, 8, &out);
  AppendNumber(header.version_length, 2, &out);
  AppendNumber(header.data_length, 8, &out);
  return out;
}

absl::StatusOr<filestorage::Tid> TidFromTime(absl::Time time) {
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

}  // namespace zrs::tests
