#include "sidecar/admin/admin_client.h"

#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace zrs::admin {
namespace {

absl::Status FromGrpc(const grpc::Status& status, const std::string& socket_path) {
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return absl::DeadlineExceededError(absl::StrCat("ask zrs at ", socket_path, ": it did not answer in time"));
  }
  return absl::UnavailableError(absl::StrCat("ask zrs at ", socket_path, ": ", status.error_message(),
                                             "; is zrs running with this configuration?"));
}

void SetDeadline(grpc::ClientContext& context, absl::Duration timeout) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
}

}  // namespace

AdminClient::AdminClient(const std::string& socket_path) : socket_path_(socket_path) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const auto channel =
      grpc::CreateCustomChannel(absl::StrCat("unix:", socket_path), grpc::InsecureChannelCredentials(), arguments);
  status_ = v1::Status::NewStub(channel);
  admin_ = v1::Admin::NewStub(channel);
}

absl::StatusOr<v1::StatusResponse> AdminClient::Status(absl::Duration timeout) {
  grpc::ClientContext context;
  SetDeadline(context, timeout);
  v1::StatusResponse response;
  const grpc::Status status = status_->Get(&context, v1::StatusRequest(), &response);
  if (!status.ok()) return FromGrpc(status, socket_path_);
  return response;
}

absl::StatusOr<v1::WaitResponse> AdminClient::Wait(const v1::WaitRequest& request) {
  grpc::ClientContext context;
  if (request.timeout_seconds() > 0) {
    SetDeadline(context, absl::Seconds(request.timeout_seconds()) + absl::Seconds(10));
  }
  v1::WaitResponse response;
  const grpc::Status status = admin_->Wait(&context, request, &response);
  if (!status.ok()) return FromGrpc(status, socket_path_);
  return response;
}

}  // namespace zrs::admin
