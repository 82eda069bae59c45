// Status for people.
#ifndef ZRS_SIDECAR_ADMIN_STATUS_SCREEN_H_
#define ZRS_SIDECAR_ADMIN_STATUS_SCREEN_H_

#include <string>

#include "proto/zrs/v1/admin.pb.h"

namespace zrs::admin {

// Some lines for each storage, aligned, in human units; whatever is wrong with its reason and the next step.
std::string StatusToScreen(const v1::StatusResponse& status);

}  // namespace zrs::admin

#endif  // ZRS_SIDECAR_ADMIN_STATUS_SCREEN_H_
