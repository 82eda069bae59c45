// `zrs status`.
#ifndef ZRS_SIDECAR_CLI_STATUS_COMMAND_H_
#define ZRS_SIDECAR_CLI_STATUS_COMMAND_H_

#include <string>

namespace zrs::cli {

struct StatusOptions {
  bool json = false;   // for programs; else for people
  bool watch = false;  // again each second, until SIGINT or SIGTERM
};

// 0 whenever zrs could be asked, also with a failed storage; 1 when it could not; 2 for a wrong configuration.
//
// Watching ends with 0, and goes on while zrs cannot be asked. On a terminal the screen is written over; elsewhere an
// empty line stands between two screens. JSON is one object a line, and what is wrong goes to standard error.
int StatusCommand(const std::string& config, const StatusOptions& options);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_STATUS_COMMAND_H_
