// A transaction as `zrs log` lists it, for people and for programs.
#ifndef ZRS_SIDECAR_CLI_LOG_REPORT_H_
#define ZRS_SIDECAR_CLI_LOG_REPORT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "filestorage/transaction_log.h"

namespace zrs::cli {

// One line. User name and description in double quotes, what a terminal would obey and what is no UTF-8 escaped, and
// cut where they are long.
std::string LogLine(const filestorage::LoggedTransaction& transaction);

// One object in one line, whose fields are a contract: README.md beside this file has them. Nothing is cut.
std::string LogJson(const filestorage::LoggedTransaction& transaction);

// What is to be said of the file besides: lines, each with a line feed; "" when there is nothing. `path` as given.
std::string LogNotes(absl::string_view path, const filestorage::LogReport& report);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_LOG_REPORT_H_
