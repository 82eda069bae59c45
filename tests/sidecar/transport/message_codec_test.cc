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

template <typename Message>
void ExpectEveryFlippedBitIsFound(const Message& sent) {
  grpc::ByteBuffer encoded = EncodeMessage(Message(sent));
  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(encoded.Dump(&slices).ok());
  std::string bytes;
  for (const grpc::Slice& slice : slices) bytes.append(slice.begin(), slice.end());
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const grpc::Slice slice(damaged);
    grpc::ByteBuffer buffer(&slice, 1);
    Message received;
    EXPECT_FALSE(DecodeMessage(buffer, received).ok()) << "bit " << bit;
  }
}

TEST(MessageCodec, EveryFlippedBitOfAHelloIsFound) {
  v1::FollowerMessage sent;
  v1::Hello& hello = *sent.mutable_hello();
  hello.mutable_lineage()->set_database_id(std::string(16, 'd'));
  v1::Epoch& epoch = *hello.mutable_lineage()->add_epochs();
  epoch.set_id(std::string(16, 'e'));
  epoch.set_generation(3);
  hello.mutable_position()->set_offset(4711);
  ExpectEveryFlippedBitIsFound(sent);
}

TEST(MessageCodec, EveryFlippedBitOfAnAcknowledgementIsFound) {
  v1::FollowerMessage sent;
  sent.mutable_acknowledge()->set_durable_offset(1 << 30);
  ExpectEveryFlippedBitIsFound(sent);
}

TEST(MessageCodec, EveryFlippedBitOfAWelcomeIsFound) {
  v1::PublisherMessage sent;
  sent.mutable_welcome()->mutable_lineage()->set_database_id(std::string(16, 'd'));
  sent.mutable_welcome()->set_committed_end(1 << 20);
  ExpectEveryFlippedBitIsFound(sent);
}

TEST(MessageCodec, AMessageWithoutItsCheckIsRefused) {
  const grpc::Slice slice(std::string("\x1a\x00", 2));  // a heartbeat
  grpc::ByteBuffer bytes(&slice, 1);
  v1::PublisherMessage received;
  EXPECT_TRUE(absl::IsDataLoss(DecodeMessage(bytes, received)));
  grpc::ByteBuffer nothing;
  v1::FollowerMessage message;
  EXPECT_FALSE(DecodeMessage(nothing, message).ok());
}

// A message of the largest size may have a million epochs of no bytes, and would be 70 MB in memory.
TEST(MessageCodec, WhatIsNoBatchAndTooLongForItIsRefusedUnparsed) {
  v1::FollowerMessage hello;
  v1::PublisherMessage welcome;
  for (int i = 0; i < 300'000; ++i) {
    hello.mutable_hello()->mutable_lineage()->add_epochs();
    welcome.mutable_welcome()->mutable_lineage()->add_epochs();
  }
  grpc::ByteBuffer from_follower = EncodeMessage(std::move(hello));
  grpc::ByteBuffer from_publisher = EncodeMessage(std::move(welcome));
  v1::FollowerMessage follower;
  v1::PublisherMessage publisher;
  for (const absl::Status& refused :
       {DecodeMessage(from_follower, follower), DecodeMessage(from_publisher, publisher)}) {
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused;
    EXPECT_NE(refused.message().find("that is no batch, more than 524288"), std::string::npos) << refused;
  }
  EXPECT_FALSE(follower.has_hello());
  EXPECT_FALSE(publisher.has_welcome());
}

TEST(MessageCodec, BytesThatAreNoMessageAreRefused) {
  const grpc::Slice slice("\xff\xff\xff");
  grpc::ByteBuffer bytes(&slice, 1);
  v1::PublisherMessage received;
  EXPECT_TRUE(absl::IsInvalidArgument(DecodeMessage(bytes, received)));
}

}  // namespace
}  // namespace zrs::transport
