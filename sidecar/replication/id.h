// Ids of databases, epochs and nodes. Pure functions; any thread.
#ifndef ZRS_SIDECAR_REPLICATION_ID_H_
#define ZRS_SIDECAR_REPLICATION_ID_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace zrs::replication {

inline constexpr size_t kIdSize = 16;  // bytes

// Lower-case hex digits of an id; "none" for an empty one.
std::string DescribeId(absl::string_view id);

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_ID_H_
