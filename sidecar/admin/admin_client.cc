#include "sidecar/admin/admin_client.h"

#include <grpcpp/grpcpp.h>

#include "sidecar/monitoring/socket_client.h"

namespace zrs::admin {

AdminClient::AdminClient(const std::string& socket_path) : socket_path_(socket_path) {
  const auto channel = monitoring::OpenSocketChannel(socket_path);
  status_ = v1::Status::NewStub(channel);
  admin_ = v1::Admin::NewStub(channel);
}

absl::StatusOr<v1::StatusResponse> AdminClient::Status(absl::Duration timeout) {
  grpc::ClientContext context;
  monitoring::SetDeadline(context, timeout);
  v1::StatusResponse response;
  const grpc::Status status = status_->Get(&context, v1::StatusRequest(), &response);
  if (!status.ok()) return monitoring::SocketError(status, socket_path_);
  return response;
}

absl::StatusOr<v1::WaitResponse> AdminClient::Wait(const v1::WaitRequest& request) {
  grpc::ClientContext context;
  if (request.timeout_seconds() > 0) {
    monitoring::SetDeadline(context, absl::Seconds(request.timeout_seconds()) + absl::Seconds(10));
  }
  v1::WaitResponse response;
  const grpc::Status status = admin_->Wait(&context, request, &response);
  if (!status.ok()) return monitoring::SocketError(status, socket_path_);
  return response;
}

template <typename Request, typename Response>
absl::StatusOr<Response> AdminClient::Call(Method<Request, Response> method, const Request& request) {
  grpc::ClientContext context;
  Response response;
  const grpc::Status status = ((*admin_).*method)(&context, request, &response);
  if (!status.ok()) return monitoring::SocketError(status, socket_path_);
  return response;
}

absl::StatusOr<v1::PauseResponse> AdminClient::Pause(const v1::PauseRequest& request) {
  return Call(&v1::Admin::Stub::Pause, request);
}

absl::StatusOr<v1::PauseResponse> AdminClient::Resume(const v1::PauseRequest& request) {
  return Call(&v1::Admin::Stub::Resume, request);
}

absl::StatusOr<v1::PromoteResponse> AdminClient::Promote(const v1::PromoteRequest& request) {
  return Call(&v1::Admin::Stub::Promote, request);
}

absl::StatusOr<v1::DemoteResponse> AdminClient::Demote(const v1::DemoteRequest& request) {
  return Call(&v1::Admin::Stub::Demote, request);
}

absl::StatusOr<v1::AdoptResponse> AdminClient::Adopt(const v1::AdoptRequest& request) {
  return Call(&v1::Admin::Stub::Adopt, request);
}

absl::StatusOr<v1::CompareResponse> AdminClient::Compare(const v1::CompareRequest& request) {
  return Call(&v1::Admin::Stub::Compare, request);
}

absl::StatusOr<v1::ResyncResponse> AdminClient::Resync(const v1::ResyncRequest& request) {
  return Call(&v1::Admin::Stub::Resync, request);
}

}  // namespace zrs::admin
