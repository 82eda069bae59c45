#include "sidecar/transport/service_set.h"

#include <utility>

namespace zrs::transport {

ServiceSet::ServiceSet(Services own, std::vector<std::string> others) : services_(std::move(own)) {
  auto health = std::make_unique<HealthService>();
  health_ = health.get();
  services_.push_back(std::move(health));
  std::vector<std::string> names = std::move(others);
  for (const auto& service : services_) names.push_back(service->name());
  services_.push_back(std::make_unique<ReflectionService>(std::move(names)));
}

void ServiceSet::RegisterWith(grpc::ServerBuilder& builder) {
  for (const auto& service : services_) builder.RegisterService(&service->service());
}

void ServiceSet::Serve(grpc::ServerCompletionQueue* queue) {
  host_ = std::make_unique<CallHost>(CallHost{queue, calls_});
  for (const auto& service : services_) service->Serve(*host_);
}

}  // namespace zrs::transport
