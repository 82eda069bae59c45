#include "sidecar/storage/swap_command.h"

#include <mutex>
#include <utility>

#include "spdlog/spdlog.h"

namespace zrs::storage {

struct SwapCommand::Result {
  std::mutex mutex;
  std::optional<absl::Status> ended;  // guarded by mutex; absent while it runs

  std::optional<absl::Status> Get() {
    const std::lock_guard<std::mutex> lock(mutex);
    return ended;
  }
};

SwapCommand::SwapCommand(std::string storage, CommandFunction command)
    : storage_(std::move(storage)), command_(std::move(command)) {}

void SwapCommand::Run(const std::string& time) {
  time_ = time;
  due_ = true;
  taken_ = false;
  RunIfDue();
}

void SwapCommand::RunIfDue() {
  if (!due_ || (result_ && !result_->Get())) return;
  due_ = false;
  result_ = std::make_shared<Result>();
  if (!command_) {
    result_->ended = absl::OkStatus();
    return;
  }
  command_([result = result_](absl::Status status) {
    const std::lock_guard<std::mutex> lock(result->mutex);
    result->ended = std::move(status);
  });
}

std::optional<std::string> SwapCommand::TakeEnded() {
  if (taken_ || due_) return std::nullopt;
  const std::optional<absl::Status> ended = result_->Get();
  if (!ended) return std::nullopt;
  taken_ = true;
  if (!ended->ok()) {
    spdlog::warn("storage {}: the on-swap command is no success: {}", storage_, std::string(ended->message()));
  }
  return time_;
}

void SwapCommand::FillStatus(v1::StorageStatus& status) const {
  if (time_.empty()) return;
  v1::LastSwap* swap = status.mutable_last_swap();
  swap->set_time(time_);
  if (due_) return;
  const std::optional<absl::Status> ended = result_->Get();
  if (ended && !ended->ok()) swap->set_command_error(std::string(ended->message()));
}

}  // namespace zrs::storage
