// What `zrs index` did, for people and for programs.
#ifndef ZRS_SIDECAR_CLI_INDEX_REPORT_H_
#define ZRS_SIDECAR_CLI_INDEX_REPORT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "filestorage/index/index_builder.h"

namespace zrs::cli {

// One line. `path`: the data file's, as it was given.
std::string IndexToText(absl::string_view path, const filestorage::IndexReport& report);

// One object, whose fields are a contract: README.md beside this file has them. Ends with a line feed.
std::string IndexToJson(absl::string_view path, const filestorage::IndexReport& report);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_INDEX_REPORT_H_
