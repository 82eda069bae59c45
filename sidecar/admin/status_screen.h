// Status for people.
#ifndef ZRS_SIDECAR_ADMIN_STATUS_SCREEN_H_
#define ZRS_SIDECAR_ADMIN_STATUS_SCREEN_H_

#include <cstddef>
#include <string>

#include "absl/time/time.h"
#include "proto/zrs/v1/admin.pb.h"

namespace zrs::admin {

struct ScreenOptions {
  absl::Time now;        // of the wall clock: times are told as ages
  size_t columns = 80;   // lines are wrapped there, between words; not below 40
  bool colored = false;  // the state, with ANSI escapes: green streaming, red what needs a person, yellow the rest
};

// Some lines for each storage, aligned, in human units; whatever does not stream, or has a problem, with its reason and
// the next step. Control characters in texts from elsewhere are shown as '?'.
std::string StatusToScreen(const v1::StatusResponse& status, const ScreenOptions& options);

}  // namespace zrs::admin

#endif  // ZRS_SIDECAR_ADMIN_STATUS_SCREEN_H_
