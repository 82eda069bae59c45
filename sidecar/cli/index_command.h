// `zrs index`.
#ifndef ZRS_SIDECAR_CLI_INDEX_COMMAND_H_
#define ZRS_SIDECAR_CLI_INDEX_COMMAND_H_

#include <string>

namespace zrs::cli {

struct IndexCommandOptions {
  std::string path;     // of the data file
  bool update = false;  // go on from the index that is there
  bool json = false;
};

// Writes ZODB's index of a data file beside it; the data file is only read, and a writer may go on meanwhile. What was
// done goes to standard output; a progress line to standard error while that is a terminal. 0 when the index is there,
// 1 when it could not be made: then the one before is as it was. SIGINT and SIGTERM end it, and leave nothing behind.
int IndexCommand(const IndexCommandOptions& options);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_INDEX_COMMAND_H_
