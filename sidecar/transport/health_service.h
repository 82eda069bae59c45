// grpc.health.v1, for one server.
#ifndef ZRS_SIDECAR_TRANSPORT_HEALTH_SERVICE_H_
#define ZRS_SIDECAR_TRANSPORT_HEALTH_SERVICE_H_

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "sidecar/transport/queued_service.h"
#include "sidecar/transport/unary_method.h"
#include "third_party/grpc/health/v1/health.grpc.pb.h"

namespace zrs::transport {

// Thread-safe. The process, service "", begins as serving.
class HealthService final : public QueuedService {
 public:
  HealthService();
  ~HealthService() override;

  void SetServing(const std::string& service, bool serving);
  // Nothing is serving from now on, and nothing can be made so.
  void StopServing();

  std::string name() const override;
  grpc::Service& service() override { return service_; }
  void Serve(const CallHost& host) override;

 private:
  using Request = grpc::health::v1::HealthCheckRequest;
  using Response = grpc::health::v1::HealthCheckResponse;
  using Async = grpc::health::v1::Health::AsyncService;
  class WatchCall;

  void Check(const Request& request, const Answer<Response>& answer) const;
  // With the mutex held.
  Response::ServingStatus StatusOf(const std::string& service) const;
  void TellWatchers();

  Async service_;
  const UnaryMethod<Request, Response> check_;
  mutable std::mutex mutex_;
  std::map<std::string, bool> serving_{{"", true}};  // guarded by mutex_
  bool stopped_ = false;                             // guarded by mutex_
  std::set<WatchCall*> watchers_;                    // guarded by mutex_
};

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_HEALTH_SERVICE_H_
