// Asks a running zrs for its health, as any grpc.health.v1 client does.
#ifndef ZRS_SIDECAR_MONITORING_HEALTH_CLIENT_H_
#define ZRS_SIDECAR_MONITORING_HEALTH_CLIENT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace zrs::monitoring {

// Whether `service` ("" is the process) is SERVING, asked at a Unix socket. NotFound for an unknown service;
// SocketError's where nobody answers within `timeout`. Blocks.
absl::StatusOr<bool> AskHealth(const std::string& socket_path, const std::string& service, absl::Duration timeout);

}  // namespace zrs::monitoring

#endif  // ZRS_SIDECAR_MONITORING_HEALTH_CLIENT_H_
