// `zrs check-config`: what a configuration means, and whether this host is ready for it.
#ifndef ZRS_SIDECAR_CLI_CHECK_CONFIG_H_
#define ZRS_SIDECAR_CLI_CHECK_CONFIG_H_

#include <string>

namespace zrs::cli {

// The effective settings, as a configuration, go to standard output; what is wrong, a line each, to standard error.
// With `json` everything goes to standard output. 0 when nothing is wrong; 1 when the configuration is right, but
// something on this host is not; 2 for a configuration that is wrong. Changes nothing. No other thread may run.
int CheckConfigCommand(const std::string& config, bool json);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_CHECK_CONFIG_H_
