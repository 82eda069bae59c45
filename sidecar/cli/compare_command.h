// zrs compare, zrs resync.
#ifndef ZRS_SIDECAR_CLI_COMPARE_COMMAND_H_
#define ZRS_SIDECAR_CLI_COMPARE_COMMAND_H_

#include <cstdint>
#include <string>

namespace zrs::cli {

struct CompareOptions {
  std::string storage;  // empty: the only one there is
  uint64_t rate = 0;    // bytes per second at most; 0: as fast as it goes
  bool json = false;
};

// Prints up to where a copy is the same as its upstream's file, with progress on a terminal. 0 when that is all of it;
// 1 when it differs, or could not be compared; 2 for an unknown storage, where it is not said which, and for a wrong
// configuration.
int CompareCommand(const std::string& config, const CompareOptions& options);

struct ResyncOptions {
  std::string storage;  // empty: the only one there is
  bool dry_run = false;
  bool json = false;
};

// Prints what a copy that has diverged gave up, or would. 0 when that was done, or told; 1 when not; 2 as above.
int ResyncCommand(const std::string& config, const ResyncOptions& options);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_COMPARE_COMMAND_H_
