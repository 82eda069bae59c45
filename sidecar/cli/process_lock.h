// Which process runs a configuration: a lock on a file in its state directory, which also names the process.
#ifndef ZRS_SIDECAR_CLI_PROCESS_LOCK_H_
#define ZRS_SIDECAR_CLI_PROCESS_LOCK_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace zrs::cli {

// Held until it is destroyed or the process ends, however that happens.
class ProcessLock {
 public:
  // The file, `state_dir`/zrs.lock.
  static std::string Path(const std::string& state_dir);
  // Takes it, for this process; the directory exists. Unavailable when another process has it, naming
  // that process.
  static absl::StatusOr<std::unique_ptr<ProcessLock>> Take(const std::string& state_dir);
  ~ProcessLock();
  ProcessLock(const ProcessLock&) = delete;
  ProcessLock& operator=(const ProcessLock&) = delete;

  // The process that has the lock; nothing when no process has. PermissionDenied where this user may not look.
  static absl::StatusOr<std::optional<pid_t>> Holder(const std::string& state_dir);

 private:
  explicit ProcessLock(int descriptor) : descriptor_(descriptor) {}
  const int descriptor_;
};

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_PROCESS_LOCK_H_
