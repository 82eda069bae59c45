// Statuses to be printed.
#ifndef ZRS_TESTS_SIDECAR_ADMIN_STATUS_SAMPLES_H_
#define ZRS_TESTS_SIDECAR_ADMIN_STATUS_SAMPLES_H_

#include <string>

#include "absl/time/time.h"
#include "proto/zrs/v1/admin.pb.h"

namespace zrs::admin {

// 2023-11-14T22:13:20Z: the moment that the samples were "made".
absl::Time SampleTime();
// So long before it, as status tells times.
std::string SampleTimeText(absl::Duration before);

// One storage of which every field has a value other than proto3's default, whatever sense that makes together.
v1::StatusResponse FullStatus();
// One storage of which nothing is known.
v1::StatusResponse EmptyStatus();
// The same, with each part that it may have, of which nothing is known.
v1::StatusResponse EmptyParts();

}  // namespace zrs::admin

#endif  // ZRS_TESTS_SIDECAR_ADMIN_STATUS_SAMPLES_H_
