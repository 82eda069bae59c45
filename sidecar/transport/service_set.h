// The services of one server that arrive on its completion queue: its own, with health and reflection beside them.
#ifndef ZRS_SIDECAR_TRANSPORT_SERVICE_SET_H_
#define ZRS_SIDECAR_TRANSPORT_SERVICE_SET_H_

#include <memory>
#include <string>
#include <vector>

#include "grpcpp/completion_queue.h"
#include "grpcpp/server_builder.h"
#include "sidecar/transport/health_service.h"
#include "sidecar/transport/queued_service.h"
#include "sidecar/transport/reflection_service.h"

namespace zrs::transport {

// Outlives the server.
class ServiceSet {
 public:
  using Services = std::vector<std::unique_ptr<QueuedService>>;
  // `others`: full names of what the server offers beside these.
  explicit ServiceSet(Services own, std::vector<std::string> others = {});
  ServiceSet(const ServiceSet&) = delete;
  ServiceSet& operator=(const ServiceSet&) = delete;

  void RegisterWith(grpc::ServerBuilder& builder);
  // When the server runs. `queue` is one of its.
  void Serve(grpc::ServerCompletionQueue* queue);
  HealthService& health() { return *health_; }
  // After the server's Shutdown: until then there is always a call that is waited for. Before the queue's.
  void WaitForEnd() { calls_.WaitForNone(); }

 private:
  CallCount calls_;
  std::unique_ptr<CallHost> host_;
  Services services_;
  HealthService* health_;  // one of them
};

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_SERVICE_SET_H_
