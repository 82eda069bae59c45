// `zrs verify`.
#ifndef ZRS_SIDECAR_CLI_VERIFY_COMMAND_H_
#define ZRS_SIDECAR_CLI_VERIFY_COMMAND_H_

#include <string>

namespace zrs::cli {

// Checks a data file, which is only read; a writer may go on meanwhile. The report goes to standard output; a progress
// line to standard error while that is a terminal. 0 when it is sound; 1 when it is damaged, or cannot be read.
int VerifyCommand(const std::string& path, bool json);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_VERIFY_COMMAND_H_
