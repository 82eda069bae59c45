// `zrs log`.
#ifndef ZRS_SIDECAR_CLI_LOG_COMMAND_H_
#define ZRS_SIDECAR_CLI_LOG_COMMAND_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "filestorage/format.h"

namespace zrs::cli {

struct LogCommandOptions {
  std::string path;    // of a data file, or of a saved tail
  std::string from;    // a tid as ParseTid takes it; empty: the first one
  std::string to;      // the same; empty: the last one
  uint64_t limit = 0;  // 0: none
  bool json = false;
};

// 16 hex digits, with or without 0x; else nothing.
std::optional<filestorage::Tid> ParseTid(absl::string_view text);

// Lists transactions on standard output, which may be closed before the end. What is not committed or damaged is told
// on standard error, behind them. 0; 1 when the file is damaged, or cannot be read; 2 when `to` is below `from`.
int LogCommand(const LogCommandOptions& options);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_LOG_COMMAND_H_
