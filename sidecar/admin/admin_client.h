// Asks a running zrs over its admin socket.
#ifndef ZRS_SIDECAR_ADMIN_ADMIN_CLIENT_H_
#define ZRS_SIDECAR_ADMIN_ADMIN_CLIENT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/zrs/v1/admin.grpc.pb.h"
#include "proto/zrs/v1/admin.pb.h"

namespace zrs::admin {

// Not thread-safe. Calls block. Unavailable or DeadlineExceeded, naming the socket, when no zrs answers.
class AdminClient {
 public:
  explicit AdminClient(const std::string& socket_path);

  absl::StatusOr<v1::StatusResponse> Status(absl::Duration timeout);
  // Blocks as long as the request says (0: without end), and a little longer for the answer.
  absl::StatusOr<v1::WaitResponse> Wait(const v1::WaitRequest& request);
  // Wait until it is so, or is refused.
  absl::StatusOr<v1::PauseResponse> Pause(const v1::PauseRequest& request);
  absl::StatusOr<v1::PauseResponse> Resume(const v1::PauseRequest& request);
  absl::StatusOr<v1::PromoteResponse> Promote(const v1::PromoteRequest& request);
  absl::StatusOr<v1::DemoteResponse> Demote(const v1::DemoteRequest& request);
  absl::StatusOr<v1::AdoptResponse> Adopt(const v1::AdoptRequest& request);
  absl::StatusOr<v1::CompareResponse> Compare(const v1::CompareRequest& request);
  absl::StatusOr<v1::ResyncResponse> Resync(const v1::ResyncRequest& request);

 private:
  template <typename Request, typename Response>
  using Method = grpc::Status (v1::Admin::Stub::*)(grpc::ClientContext*, const Request&, Response*);
  // Waits without limit.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(Method<Request, Response> method, const Request& request);

  std::string socket_path_;
  std::unique_ptr<v1::Status::Stub> status_;
  std::unique_ptr<v1::Admin::Stub> admin_;
};

}  // namespace zrs::admin

#endif  // ZRS_SIDECAR_ADMIN_ADMIN_CLIENT_H_
