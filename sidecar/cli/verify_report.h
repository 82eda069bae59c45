// What `zrs verify` found, for people and for programs.
#ifndef ZRS_SIDECAR_CLI_VERIFY_REPORT_H_
#define ZRS_SIDECAR_CLI_VERIFY_REPORT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "filestorage/verify.h"

namespace zrs::cli {

// Some aligned lines, wrapped at `columns`: the verdict, what the file has, and where it is damaged what to do about
// it. `path` as it was given.
std::string VerifyToText(absl::string_view path, const filestorage::VerifyReport& report, size_t columns);

// One object, whose fields are a contract: README.md beside this file has them. Ends with a line feed.
std::string VerifyToJson(absl::string_view path, const filestorage::VerifyReport& report);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_VERIFY_REPORT_H_
