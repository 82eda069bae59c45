// The software's version.
#ifndef ZRS_SIDECAR_CLI_VERSION_H_
#define ZRS_SIDECAR_CLI_VERSION_H_

namespace zrs::cli {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_VERSION_H_
