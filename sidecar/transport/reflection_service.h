// grpc.reflection.v1alpha: tells what services a server has, and the .proto files that describe them.
#ifndef ZRS_SIDECAR_TRANSPORT_REFLECTION_SERVICE_H_
#define ZRS_SIDECAR_TRANSPORT_REFLECTION_SERVICE_H_

#include <string>
#include <vector>

#include "sidecar/transport/queued_service.h"
#include "third_party/grpc/reflection/v1alpha/reflection.grpc.pb.h"

namespace zrs::transport {

// The answer to one request, of a server that has `services`. From the descriptors that are linked into the process.
grpc::reflection::v1alpha::ServerReflectionResponse Reflect(
    const grpc::reflection::v1alpha::ServerReflectionRequest& request, const std::vector<std::string>& services);

class ReflectionService final : public QueuedService {
 public:
  // `services`: the full names of the server's others.
  explicit ReflectionService(std::vector<std::string> services);

  std::string name() const override;
  grpc::Service& service() override { return service_; }
  void Serve(const CallHost& host) override;

 private:
  class StreamCall;

  std::vector<std::string> services_;
  grpc::reflection::v1alpha::ServerReflection::AsyncService service_;
};

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_REFLECTION_SERVICE_H_
