#include "sidecar/monitoring/health_board.h"

#include <utility>

namespace zrs::monitoring {

std::string HealthService(const std::string& storage) { return "zrs.storage." + storage; }

void HealthBoard::Set(const std::string& storage, bool serving) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::string service = HealthService(storage);
  serving_[service] = serving;
  for (const Target& target : targets_) target(service, serving);
}

void HealthBoard::Attach(Target target) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [service, serving] : serving_) target(service, serving);
  targets_.push_back(std::move(target));
}

void HealthBoard::Clear() {
  const std::lock_guard<std::mutex> lock(mutex_);
  targets_.clear();
}

}  // namespace zrs::monitoring
