// Messages as gRPC's bytes.
#ifndef ZRS_SIDECAR_TRANSPORT_MESSAGE_CODEC_H_
#define ZRS_SIDECAR_TRANSPORT_MESSAGE_CODEC_H_

#include "absl/status/status.h"
#include "google/protobuf/message_lite.h"
#include "grpcpp/support/byte_buffer.h"
#include "proto/zrs/v1/replication.pb.h"

namespace zrs::transport {

// A message that either side receives is at most so long, encoded.
inline constexpr int kLargestMessage = 2 << 20;

grpc::ByteBuffer EncodeMessage(const google::protobuf::MessageLite& message);
// The same bytes, save for the order of a batch's fields: its data comes last and is not copied.
grpc::ByteBuffer EncodeMessage(v1::PublisherMessage&& message);

// Empties `bytes`. InvalidArgument when they are no message of this kind.
absl::Status DecodeMessage(grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message);

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_MESSAGE_CODEC_H_
