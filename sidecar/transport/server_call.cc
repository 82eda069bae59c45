#include "sidecar/transport/server_call.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace zrs::transport {

void ServerCall::WaitForNext(const Host& host) {
  auto* const call = new ServerCall(host);
  host.registry.Add(call);
  host.service.RequestFollow(&call->context_, &call->stream_, host.queue, host.queue, call->Tag(call->arrive_));
}

ServerCall::ServerCall(const Host& host) : GrpcCall(host.registry, host.queue), host_(host) {
  Bind(std::make_shared<Core>(StreamCoreOptions{.side = StreamSide::kServer, .close_timeout = host.close_timeout}, ""),
       &stream_, &stream_);
  context_.AsyncNotifyWhenDone(Tag(over_));
}

void ServerCall::Arrived(bool ok) {
  // Only once the server is shut down: then no call begins, and none is over.
  if (!ok) return Untag();
  WaitForNext(host_);
  peer_ = context_.peer();
  core()->SetPeer(peer_);
  // False when the call broke before it was looked at.
  if (core()->Attach(this)) host_.accept(core());
}

void ServerCall::Begin() { stream_.SendInitialMetadata(Tag(greet_)); }

void ServerCall::EndSending(const absl::Status& status) {
  stream_.Finish(grpc::Status(static_cast<grpc::StatusCode>(status.raw_code()), std::string(status.message())),
                 Tag(finish_));
}

void ServerCall::Over() {
  broken_ = context_.IsCancelled();
  core()->OnWireOver();
}

absl::Status ServerCall::FinalStatus() const {
  if (!broken_) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      peer_, ": the stream broke: the peer went away or the network failed (or it sent a message of more than ",
      kLargestMessage, " bytes)"));
}

}  // namespace zrs::transport
