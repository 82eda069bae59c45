// What tells this machine from others.
#ifndef ZRS_SIDECAR_CLI_MACHINE_ID_H_
#define ZRS_SIDECAR_CLI_MACHINE_ID_H_

#include <string>

namespace zrs::cli {

// What is in /etc/machine-id; empty where that cannot be read.
std::string MachineId();

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_MACHINE_ID_H_
