// Status as JSON: field names and meanings are a contract with monitoring.
#ifndef ZRS_SIDECAR_ADMIN_STATUS_JSON_H_
#define ZRS_SIDECAR_ADMIN_STATUS_JSON_H_

#include <string>

#include "proto/zrs/v1/admin.pb.h"

namespace zrs::admin {

enum class JsonLayout { kIndented, kOneLine };

// {"version", "pid", "storages": [...]}, as README.md beside this file has it. Positions are numbers; what is not known
// is null, never 0. Ends with a line feed.
std::string StatusToJson(const v1::StatusResponse& status, JsonLayout layout);

}  // namespace zrs::admin

#endif  // ZRS_SIDECAR_ADMIN_STATUS_JSON_H_
