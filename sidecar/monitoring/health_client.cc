#include "sidecar/monitoring/health_client.h"

#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "sidecar/monitoring/socket_client.h"
#include "third_party/grpc/health/v1/health.grpc.pb.h"

namespace zrs::monitoring {

absl::StatusOr<bool> AskHealth(const std::string& socket_path, const std::string& service, absl::Duration timeout) {
  const auto stub = grpc::health::v1::Health::NewStub(OpenSocketChannel(socket_path));
  grpc::ClientContext context;
  SetDeadline(context, timeout);
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(service);
  grpc::health::v1::HealthCheckResponse response;
  const grpc::Status status = stub->Check(&context, request, &response);
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) {
    return absl::NotFoundError(absl::StrCat("zrs at ", socket_path, " has no service \"", service, "\""));
  }
  if (!status.ok()) return SocketError(status, socket_path);
  return response.status() == grpc::health::v1::HealthCheckResponse::SERVING;
}

}  // namespace zrs::monitoring
