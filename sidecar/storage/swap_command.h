// The user's command that is run after a swap.
#ifndef ZRS_SIDECAR_STORAGE_SWAP_COMMAND_H_
#define ZRS_SIDECAR_STORAGE_SWAP_COMMAND_H_

#include <functional>
#include <memory>
#include <optional>
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

  // A swap was done at `time` (RFC 3339). A run that is still going on is left alone, and no second is begun beside it:
  // once it has ended there is one more, however many swaps came meanwhile.
  void Run(const std::string& time);
  // Begins the run that had to wait, if its turn has come. To be called now and then.
  void RunIfDue();
  // The time of the last swap, once, when a run that was begun after it has ended, however it did; a failure is told in
  // the log. To be called now and then. Without a command that is so at once.
  std::optional<std::string> TakeEnded();
  void FillStatus(v1::StorageStatus& status) const;

 private:
  struct Result;
  const std::string storage_;
  const CommandFunction command_;
  std::string time_;                // of the last swap; empty: none so far
  bool due_ = false;                // there was a swap since the last run began
  bool taken_ = true;               // it was told that the run after the last swap has ended
  std::shared_ptr<Result> result_;  // of the last run; null: none so far; shared with the command
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SWAP_COMMAND_H_
