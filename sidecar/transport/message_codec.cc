#include "sidecar/transport/message_codec.h"

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/wire_format_lite.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/slice.h"

namespace zrs::transport {
namespace {

using google::protobuf::internal::WireFormatLite;

grpc::Slice SliceOf(std::unique_ptr<std::string> bytes) {
  std::string* const owned = bytes.release();
  return grpc::Slice(
      owned->data(), owned->size(), [](void* string) { delete static_cast<std::string*>(string); }, owned);
}

// All of the message but the `data_size` bytes of the batch's data, which follow it.
std::string EncodeBatchHead(const v1::Batch& batch, size_t data_size) {
  const std::string fields = batch.SerializeAsString();
  const uint32_t data_tag =
      WireFormatLite::MakeTag(v1::Batch::kDataFieldNumber, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  const auto data_length = static_cast<uint32_t>(data_size);
  const size_t size = fields.size() + WireFormatLite::UInt32Size(data_tag) + WireFormatLite::UInt32Size(data_length);
  std::string head;
  {
    google::protobuf::io::StringOutputStream stream(&head);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.WriteTag(
        WireFormatLite::MakeTag(v1::PublisherMessage::kBatchFieldNumber, WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
    out.WriteVarint64(size + data_size);
    out.WriteString(fields);
    out.WriteTag(data_tag);
    out.WriteVarint32(data_length);
  }
  return head;
}

}  // namespace

grpc::ByteBuffer EncodeMessage(v1::PublisherMessage&& message) {
  if (!message.has_batch()) return EncodeMessage(static_cast<const google::protobuf::MessageLite&>(message));
  auto data = std::make_unique<std::string>(std::move(*message.mutable_batch()->mutable_data()));
  message.mutable_batch()->clear_data();
  const std::string head = EncodeBatchHead(message.batch(), data->size());
  const std::array<grpc::Slice, 2> slices = {grpc::Slice(head), SliceOf(std::move(data))};
  return grpc::ByteBuffer(slices.data(), slices.size());
}

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
