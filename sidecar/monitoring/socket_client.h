// What all clients of a running zrs's admin socket have in common.
#ifndef ZRS_SIDECAR_MONITORING_SOCKET_CLIENT_H_
#define ZRS_SIDECAR_MONITORING_SOCKET_CLIENT_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace zrs::monitoring {

// A channel to the Unix socket; it connects when it is used.
std::shared_ptr<grpc::Channel> OpenSocketChannel(const std::string& socket_path);

// From now on, by the monotonic clock.
void SetDeadline(grpc::ClientContext& context, absl::Duration timeout);

// What a call that failed is told as: DeadlineExceeded, or Unavailable with what to do; each names the socket.
absl::Status SocketError(const grpc::Status& status, const std::string& socket_path);

}  // namespace zrs::monitoring

#endif  // ZRS_SIDECAR_MONITORING_SOCKET_CLIENT_H_
