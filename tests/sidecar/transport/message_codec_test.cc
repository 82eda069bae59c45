#include "sidecar/transport/message_codec.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace zrs::transport {
namespace {

v1::PublisherMessage BatchOf(std::string data) {
  v1::PublisherMessage message;
  v1::Batch& batch = *message.mutable_batch();
  batch.set_offset(uint64_t{1} << 40);
  batch.set_digest(std::string(16, 'd'));
  batch.mutable_predecessor()->set_offset(4);
  batch.set_data(std::move(data));
  return message;
}

TEST(MessageCodec, ABatchOfAnySizeArrivesAsItWasSent) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{127}, size_t{128}, size_t{20'000}, size_t{1} << 20}) {
    const v1::PublisherMessage sent = BatchOf(std::string(size, 'x'));
    grpc::ByteBuffer bytes = EncodeMessage(v1::PublisherMessage(sent));
    v1::PublisherMessage received;
    ASSERT_TRUE(DecodeMessage(bytes, received).ok()) << size;
    EXPECT_EQ(received.SerializeAsString(), sent.SerializeAsString()) << size;
  }
}

TEST(MessageCodec, ABatchsDataIsNotCopied) {
  v1::PublisherMessage message = BatchOf(std::string(100'000, 'x'));
  const char* const data = message.batch().data().data();
  grpc::ByteBuffer bytes = EncodeMessage(std::move(message));
  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(bytes.Dump(&slices).ok());
  ASSERT_EQ(slices.size(), 2);
  EXPECT_EQ(static_cast<const void*>(slices[1].begin()), static_cast<const void*>(data));
}

TEST(MessageCodec, AnotherMessageArrivesAsItWasSent) {
  v1::PublisherMessage sent;
  sent.mutable_heartbeat()->set_committed_end(77);
  grpc::ByteBuffer bytes = EncodeMessage(v1::PublisherMessage(sent));
  v1::PublisherMessage received;
  ASSERT_TRUE(DecodeMessage(bytes, received).ok());
  EXPECT_EQ(received.heartbeat().committed_end(), 77);
}

TEST(MessageCodec, BytesThatAreNoMessageAreRefused) {
  const grpc::Slice slice("\xff\xff\xff");
  grpc::ByteBuffer bytes(&slice, 1);
  v1::PublisherMessage received;
  EXPECT_TRUE(absl::IsInvalidArgument(DecodeMessage(bytes, received)));
}

}  // namespace
}  // namespace zrs::transport
