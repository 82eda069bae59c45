#include "tests/sidecar/transport/raw_call.h"

#include <vector>

#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/slice.h"

namespace zrs::transport {

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string ToBytes(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

RawCall::RawCall(const std::string& address, const std::string& method)
    : channel_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())) {
  stream_ = grpc::GenericStub(channel_).PrepareCall(&context_, method, &queue_);
  stream_->StartCall(this);
  Wait();
}

RawCall::~RawCall() {
  context_.TryCancel();
  queue_.Shutdown();
  while (Wait()) {
  }
}

bool RawCall::Write(const std::string& bytes) {
  stream_->Write(ToBuffer(bytes), this);
  return Wait();
}

bool RawCall::WritesDone() {
  stream_->WritesDone(this);
  return Wait();
}

std::optional<std::string> RawCall::Read() {
  grpc::ByteBuffer buffer;
  stream_->Read(&buffer, this);
  if (!Wait()) return std::nullopt;
  return ToBytes(buffer);
}

grpc::Status RawCall::Finish() {
  grpc::Status status;
  stream_->Finish(&status, this);
  Wait();
  return status;
}

bool RawCall::Wait() {
  void* tag = nullptr;
  bool ok = false;
  return queue_.Next(&tag, &ok) && ok;
}

}  // namespace zrs::transport
