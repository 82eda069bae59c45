// How times are told in status.
#ifndef ZRS_SIDECAR_STORAGE_STATUS_TEXT_H_
#define ZRS_SIDECAR_STORAGE_STATUS_TEXT_H_

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "filestorage/format.h"

namespace zrs::storage {

// The moment that the transaction's id stamps; nullopt for tid 0 and one that is no time stamp.
std::optional<absl::Time> TimeOfTransaction(filestorage::Tid tid);

// Seconds from the transaction's time stamp to `now`, at least 0; nullopt as above.
std::optional<double> AgeOfTransaction(filestorage::Tid tid, absl::Time now);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_STATUS_TEXT_H_
