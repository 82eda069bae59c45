#include "sidecar/storage/swap_command.h"

#include <mutex>
#include <utility>

#include "spdlog/spdlog.h"

namespace zrs::storage {

struct SwapCommand::Result {
  std::mutex mutex;
  absl::Status status;  // guarded by mutex, as what follows; OK while it runs
  bool ended = false;

  bool Runs() {
    const std::lock_guard<std::mutex> lock(mutex);
    return !ended;
  }
  absl::Status Get() {
    const std::lock_guard<std::mutex> lock(mutex);
    return status;
  }
};

SwapCommand::SwapCommand(std::string storage, CommandFunction command)
    : storage_(std::move(storage)), command_(std::move(command)) {}

void SwapCommand::Run(const std::string& time) {
  time_ = time;
  reported_ = false;
  result_ = std::make_shared<Result>();
  if (!command_) return;
  if (started_ && started_->Runs()) {
    result_->status = absl::AbortedError("the one after a swap before still ran, so it was not run again");
    return;
  }
  started_ = result_;
  command_([result = result_](absl::Status status) {
    const std::lock_guard<std::mutex> lock(result->mutex);
    result->status = std::move(status);
    result->ended = true;
  });
}

void SwapCommand::Report() {
  if (reported_ || !result_) return;
  const absl::Status status = result_->Get();
  if (status.ok()) return;
  reported_ = true;
  spdlog::warn("storage {}: the on-swap command is no success: {}", storage_, std::string(status.message()));
}

void SwapCommand::FillStatus(v1::StorageStatus& status) const {
  if (time_.empty()) return;
  v1::LastSwap* swap = status.mutable_last_swap();
  swap->set_time(time_);
  const absl::Status ended = result_->Get();
  if (!ended.ok()) swap->set_command_error(std::string(ended.message()));
}

}  // namespace zrs::storage
