// The user's command that is run after a swap.
#ifndef ZRS_SIDECAR_STORAGE_SWAP_COMMAND_H_
#define ZRS_SIDECAR_STORAGE_SWAP_COMMAND_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "proto/zrs/v1/admin.pb.h"

namespace zrs::storage {

// Runs a command; `done`, on any thread, tells how it ended, perhaps after all else is gone.
using CommandFunction = std::function<void(absl::AnyInvocable<void(absl::Status)> done)>;

// The last swap, and how the command after it ended. On the strand.
class SwapCommand {
 public:
  // `command` may be null: there is none.
  SwapCommand(std::string storage, CommandFunction command);

  // A swap was done at `time` (RFC 3339). One that still runs is left alone, and no second is run beside it.
  void Run(const std::string& time);
  // Says in the log, once, that the command has failed. To be called now and then.
  void Report();
  void FillStatus(v1::StorageStatus& status) const;

 private:
  struct Result;
  const std::string storage_;
  const CommandFunction command_;
  std::string time_;                 // empty: no swap so far
  std::shared_ptr<Result> result_;   // of the last swap's; shared with the command
  std::shared_ptr<Result> started_;  // of the last one that was run at all
  bool reported_ = false;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SWAP_COMMAND_H_
