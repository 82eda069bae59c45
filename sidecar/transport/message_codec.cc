#include "sidecar/transport/message_codec.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/wire_format_lite.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/slice.h"

namespace zrs::transport {
namespace {

using google::protobuf::internal::WireFormatLite;

constexpr absl::string_view kWhy =
    "; what is at the other end is no zrs, or an older one, or the connection damages data";
constexpr uint8_t kBatchTag =
    (v1::PublisherMessage::kBatchFieldNumber << 3) | WireFormatLite::WIRETYPE_LENGTH_DELIMITED;

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

// Behind the rest: the field's tag, and its 8 bytes.
static_assert(int{v1::FollowerMessage::kCheckFieldNumber} == int{v1::PublisherMessage::kCheckFieldNumber});
constexpr char kCheckTag = (v1::FollowerMessage::kCheckFieldNumber << 3) | WireFormatLite::WIRETYPE_FIXED64;
constexpr size_t kCheckSize = 1 + sizeof(uint64_t);

std::string CheckOf(absl::string_view bytes) {
  uint64_t check = XXH3_64bits(bytes.data(), bytes.size());
  std::string field(1, kCheckTag);
  for (size_t i = 0; i < sizeof(check); ++i, check >>= 8) field.push_back(static_cast<char>(check & 0xff));
  return field;
}

template <typename Message>
grpc::ByteBuffer EncodeChecked(Message& message) {
  message.clear_check();
  std::string bytes = message.SerializeAsString();
  bytes += CheckOf(bytes);
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

bool HasCheck(absl::string_view bytes) {
  if (bytes.size() < kCheckSize) return false;
  const absl::string_view checked = bytes.substr(0, bytes.size() - kCheckSize);
  return bytes.substr(checked.size()) == CheckOf(checked);
}

absl::Status Dump(const grpc::ByteBuffer& bytes, std::vector<grpc::Slice>* slices) {
  if (bytes.Length() == 0 || bytes.Dump(slices).ok()) return absl::OkStatus();
  return absl::DataLossError("received what cannot be read");
}

// Whether it is a batch, and no more is behind that than a later release may add.
bool IsBatch(const std::vector<grpc::Slice>& slices, size_t length) {
  constexpr size_t kLongestHead = 11;  // the tag, and a length
  std::string head;
  for (const grpc::Slice& slice : slices) {
    head.append(reinterpret_cast<const char*>(slice.begin()), std::min(slice.size(), kLongestHead - head.size()));
    if (head.size() == kLongestHead) break;
  }
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(head.data()),
                                            static_cast<int>(head.size()));
  uint64_t size = 0;
  if (in.ReadTag() != kBatchTag || !in.ReadVarint64(&size)) return false;
  const auto before = static_cast<size_t>(in.CurrentPosition());
  return length >= before && size <= length - before && length - before - size <= kLargestWithoutBatch;
}

absl::Status CheckBytes(const std::vector<grpc::Slice>& slices) {
  std::string bytes;
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  if (HasCheck(bytes)) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("received a message of ", bytes.size(), " bytes without its check", kWhy));
}

// Before it is parsed.
absl::Status CheckLength(grpc::ByteBuffer& bytes) {
  const size_t length = bytes.Length();
  if (length <= kLargestWithoutBatch) return absl::OkStatus();
  bytes.Clear();
  return absl::InvalidArgumentError(absl::StrCat("received a message of ", length,
                                                 " bytes that is no batch, more than ", kLargestWithoutBatch, kWhy));
}

absl::Status Parse(grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message) {
  const size_t length = bytes.Length();
  bool parsed = false;
  {
    grpc::ProtoBufferReader reader(&bytes);
    parsed = reader.status().ok() && message.ParseFromZeroCopyStream(&reader);
  }
  bytes.Clear();
  if (parsed) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("received ", length, " bytes that are no ", message.GetTypeName(), kWhy));
}

}  // namespace

grpc::ByteBuffer EncodeMessage(v1::FollowerMessage&& message) { return EncodeChecked(message); }

grpc::ByteBuffer EncodeMessage(v1::PublisherMessage&& message) {
  if (!message.has_batch()) return EncodeChecked(message);
  auto data = std::make_unique<std::string>(std::move(*message.mutable_batch()->mutable_data()));
  message.mutable_batch()->clear_data();
  const std::string head = EncodeBatchHead(message.batch(), data->size());
  const std::array<grpc::Slice, 2> slices = {grpc::Slice(head), SliceOf(std::move(data))};
  return grpc::ByteBuffer(slices.data(), slices.size());
}

absl::Status DecodeMessage(grpc::ByteBuffer& bytes, v1::FollowerMessage& message) {
  if (absl::Status length = CheckLength(bytes); !length.ok()) return length;
  std::vector<grpc::Slice> slices;
  if (absl::Status read = Dump(bytes, &slices); !read.ok()) return read;
  if (absl::Status parsed = Parse(bytes, message); !parsed.ok()) return parsed;
  return CheckBytes(slices);
}

absl::Status DecodeMessage(grpc::ByteBuffer& bytes, v1::PublisherMessage& message) {
  std::vector<grpc::Slice> slices;
  if (absl::Status read = Dump(bytes, &slices); !read.ok()) return read;
  const bool batch = IsBatch(slices, bytes.Length());
  if (absl::Status length = batch ? absl::OkStatus() : CheckLength(bytes); !length.ok()) return length;
  if (absl::Status parsed = Parse(bytes, message); !parsed.ok()) return parsed;
  return batch && message.has_batch() ? absl::OkStatus() : CheckBytes(slices);
}

}  // namespace zrs::transport
