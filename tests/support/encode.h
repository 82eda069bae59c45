// The other way round than filestorage/format and filestorage/timestamp: what a writer of a FileStorage makes.
#ifndef ZRS_TESTS_SUPPORT_ENCODE_H_
#define ZRS_TESTS_SUPPORT_ENCODE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "filestorage/format.h"

namespace zrs::tests {

std::string EncodeTransactionHeader(const filestorage::TransactionHeader& header);
std::string EncodeDataHeader(const filestorage::DataHeader& header);

// The tid for `time`: the last one that is not later. InvalidArgument before the year 1900 or past the last tid (the
// year 9917).
absl::StatusOr<filestorage::Tid> TidFromTime(absl::Time time);

}  // namespace zrs::tests

#endif  // ZRS_TESTS_SUPPORT_ENCODE_H_
