// Messages as gRPC's bytes.
#ifndef ZRS_SIDECAR_TRANSPORT_MESSAGE_CODEC_H_
#define ZRS_SIDECAR_TRANSPORT_MESSAGE_CODEC_H_

#include <cstddef>

#include "absl/status/status.h"
#include "google/protobuf/message_lite.h"
#include "grpcpp/support/byte_buffer.h"
#include "proto/zrs/v1/replication.pb.h"

namespace zrs::transport {

// A message that either side receives is at most so long, encoded.
inline constexpr int kLargestMessage = 2 << 20;
// One that is no batch has no more: a lineage's epochs are some forty times as large in memory as they may be encoded.
// A hello with two of the longest lineages has less than 200 KiB.
inline constexpr size_t kLargestWithoutBatch = 512 << 10;

// With its check, whatever `message` says there.
grpc::ByteBuffer EncodeMessage(v1::FollowerMessage&& message);
// A batch is encoded without a check, and its data comes last and is not copied.
grpc::ByteBuffer EncodeMessage(v1::PublisherMessage&& message);

// Empty `bytes`. InvalidArgument when they are no message of this kind, or too long for one; DataLoss when they do not
// have their check.
absl::Status DecodeMessage(grpc::ByteBuffer& bytes, v1::FollowerMessage& message);
absl::Status DecodeMessage(grpc::ByteBuffer& bytes, v1::PublisherMessage& message);

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_MESSAGE_CODEC_H_
