#include "sidecar/transport/client_call.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/generic/generic_stub.h"

namespace zrs::transport {
namespace {

// A server that does not know the service mostly has no words for it.
std::string CauseOf(const grpc::Status& status) {
  if (status.error_code() != grpc::StatusCode::UNIMPLEMENTED) return status.error_message();
  return absl::StrCat(status.error_message(), status.error_message().empty() ? "" : "; ",
                      "it answers, but not to followers: is it a health-address, or another program's?");
}

constexpr char kFollowMethod[] = "/zrs.v1.Replication/Follow";

}  // namespace

void ClientCall::Launch(std::shared_ptr<Core> core, std::shared_ptr<grpc::Channel> channel, const std::string& address,
                        CallRegistry& registry, grpc::CompletionQueue* queue) {
  auto call = std::unique_ptr<ClientCall>(new ClientCall(core, std::move(channel), address, registry, queue));
  if (!registry.Add(call.get())) return core->OnWireDone(absl::CancelledError(absl::StrCat(address, ": shut down")));
  if (core->Attach(call.get())) {
    call.release();
    return;
  }
  registry.Remove(call.get());
  core->OnWireDone(absl::CancelledError(absl::StrCat(address, ": closed before it was started")));
}

ClientCall::ClientCall(std::shared_ptr<Core> core, std::shared_ptr<grpc::Channel> channel, const std::string& address,
                       CallRegistry& registry, grpc::CompletionQueue* queue)
    : GrpcCall(registry, queue), address_(address), channel_(std::move(channel)) {
  stream_ = grpc::GenericStub(channel_).PrepareCall(&context_, kFollowMethod, queue);
  Bind(std::move(core), stream_.get(), stream_.get());
}

void ClientCall::Begin() { stream_->StartCall(Tag(start_)); }

void ClientCall::EndSending(const absl::Status&) { stream_->WritesDone(Tag(half_close_)); }

void ClientCall::Started() { stream_->ReadInitialMetadata(Tag(answer_)); }

void ClientCall::Answered(bool ok) {
  answered_ = ok;
  // Asked for from the first moment on, so that the end is noticed also while nobody reads or writes.
  stream_->Finish(&status_, Tag(finish_));
  if (!ok) return;
  core()->SetPeer(context_.peer());
  core()->OnWireOpen();
}

absl::Status ClientCall::FinalStatus() const {
  if (status_.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status_.error_code()),
                      absl::StrCat(answered_ ? "" : "cannot connect to ", address_, ": ", CauseOf(status_)));
}

}  // namespace zrs::transport
