// What commands have in common: exit codes, and where their words go.
#ifndef ZRS_SIDECAR_CLI_OUTPUT_H_
#define ZRS_SIDECAR_CLI_OUTPUT_H_

#include <cstdio>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace zrs::cli {

inline constexpr int kSuccess = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;  // wrong usage, a wrong configuration

// Writes `text` as it is, at once. False when it could not be written.
bool Print(std::FILE* file, absl::string_view text);

// A command's result, on standard output. Answers `exit_code`, or kFailed, with a complaint, when it could not be
// written.
int PrintResult(absl::string_view text, int exit_code);

// "zrs: MESSAGE" on standard error; answers `exit_code`.
int Complain(const absl::Status& status, int exit_code);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_OUTPUT_H_
