#include "sidecar/monitoring/socket_client.h"

#include "absl/strings/str_cat.h"
#include "sidecar/transport/peer_address.h"

namespace zrs::monitoring {

std::shared_ptr<grpc::Channel> OpenSocketChannel(const std::string& socket_path) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(transport::SocketTarget(socket_path), grpc::InsecureChannelCredentials(), arguments);
}

void SetDeadline(grpc::ClientContext& context, absl::Duration timeout) {
  context.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                    gpr_time_from_millis(absl::ToInt64Milliseconds(timeout), GPR_TIMESPAN)));
}

absl::Status SocketError(const grpc::Status& status, const std::string& socket_path) {
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return absl::DeadlineExceededError(absl::StrCat("ask zrs at ", socket_path, ": it did not answer in time"));
  }
  return absl::UnavailableError(absl::StrCat("ask zrs at ", socket_path, ": ", status.error_message(),
                                             "; is zrs running with this configuration?"));
}

}  // namespace zrs::monitoring
