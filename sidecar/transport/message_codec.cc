#include "sidecar/transport/message_codec.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/slice.h"

namespace zrs::transport {

grpc::ByteBuffer EncodeMessage(const google::protobuf::MessageLite& message) {
  grpc::Slice slice(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  return grpc::ByteBuffer(&slice, 1);
}

absl::Status DecodeMessage(grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message) {
  const size_t length = bytes.Length();
  bool parsed = false;
  {
    grpc::ProtoBufferReader reader(&bytes);
    parsed = reader.status().ok() && message.ParseFromZeroCopyStream(&reader);
  }
  bytes.Clear();
  if (parsed) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("received ", length, " bytes that are no ", message.GetTypeName(),
                   "; what is at the other end is no zrs, or the connection damages data"));
}

}  // namespace zrs::transport
