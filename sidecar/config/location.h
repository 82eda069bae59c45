// Where in the configuration something was written, and errors that say so.
#ifndef ZRS_SIDECAR_CONFIG_LOCATION_H_
#define ZRS_SIDECAR_CONFIG_LOCATION_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace zrs::config {

struct Location {
  std::shared_ptr<const std::string> file;  // its name as it was given or included; null only in a default Location
  int line = 0;                             // from 1; 0 is the file as a whole

  // "FILE:LINE", or "FILE" for line 0.
  std::string ToString() const;
};

// InvalidArgument "FILE:LINE: what; remedy".
absl::Status ErrorAt(const Location& location, absl::string_view what, absl::string_view remedy);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_LOCATION_H_
