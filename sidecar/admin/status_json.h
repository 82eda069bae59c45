// Status as JSON: field names and meanings are a contract with monitoring.
#ifndef ZRS_SIDECAR_ADMIN_STATUS_JSON_H_
#define ZRS_SIDECAR_ADMIN_STATUS_JSON_H_

#include <string>

#include "proto/zrs/v1/admin.pb.h"

namespace zrs::admin {

// {"version", "pid", "storages": [...]}, as admin.proto has it in camelCase. Positions are numbers; what is not known
// is null, never 0. Ends with a line feed.
std::string StatusToJson(const v1::StatusResponse& status);

}  // namespace zrs::admin

#endif  // ZRS_SIDECAR_ADMIN_STATUS_JSON_H_
