// Messages of a later minor version, as they were recorded. To the messages of version 1 it adds:
//   FollowerMessage, PublisherMessage: string trace = 14, bytes context = 16 (behind the check's number)
//   Hello: repeated string capabilities = 13, Window window = 14, fixed64 nonce = 200
//   Welcome: repeated string capabilities = 10, Window window = 11
//   Epoch: string promoted_by = 5; Boundary: uint32 digest_kind = 5; Batch: uint32 compression = 5
//   Acknowledge: uint64 applied_offset = 4
// with Window { uint64 bytes = 1; bool adaptive = 2 }. Its follower speaks 1 and 2, and one of its successor 2 and 3.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "filestorage/digest.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/handshake.h"
#include "sidecar/replication/publisher_session.h"
#include "sidecar/replication/welcome.h"
#include "sidecar/transport/message_codec.h"
#include "tests/sidecar/replication/fixtures.h"
#include "tests/support/file_builder.h"

namespace zrs::transport {
namespace {

using replication::FirstLineage;
using replication::kStart;

grpc::ByteBuffer Recorded(const std::string& name) {
  std::ifstream file(absl::StrCat("tests/sidecar/transport/data/", name, ".hex"));
  const std::string hex{std::istreambuf_iterator<char>(file), {}};
  const std::string bytes = absl::HexStringToBytes(absl::StrReplaceAll(hex, {{"\n", ""}}));
  EXPECT_FALSE(bytes.empty()) << name;
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

template <typename Message>
Message Decoded(const std::string& name) {
  grpc::ByteBuffer bytes = Recorded(name);
  Message message;
  const absl::Status decoded = DecodeMessage(bytes, message);
  EXPECT_TRUE(decoded.ok()) << name << ": " << decoded;
  return message;
}

class LaterVersionTest : public ::testing::Test {
 protected:
  tests::FileBuilder file_ = tests::FileBuilder().AddMany(3, 100);
};

TEST_F(LaterVersionTest, ItsHelloIsWelcomedWithTheVersionThatBothSpeak) {
  const auto hello = Decoded<v1::FollowerMessage>("later_hello");
  EXPECT_EQ(hello.hello().highest_version(), 2u);
  replication::PublisherSession session({}, replication::PublicationOf(file_));
  const auto probe = replication::TheOnly<replication::ProbeBoundary>(session.OnMessage(hello));
  EXPECT_EQ(probe.boundary, kStart);
  const auto sent = replication::TheOnly<replication::SendToFollower>(session.OnProbed(true));
  EXPECT_EQ(sent.message.welcome().version(), 1u);
  EXPECT_EQ(sent.message.welcome().decision(), v1::Welcome::DECISION_RESUME);
}

TEST_F(LaterVersionTest, TheHelloOfOneThatSpeaksNoneOfOursIsRefusedNamingBothRanges) {
  const auto hello = Decoded<v1::FollowerMessage>("later_hello_alone");
  replication::PublisherSession session({}, replication::PublicationOf(file_));
  const auto sent = replication::TheOnly<replication::SendToFollower>(session.OnMessage(hello));
  const v1::End& end = sent.message.end();
  EXPECT_EQ(end.reason(), v1::End::REASON_VERSION);
  EXPECT_NE(end.message().find("the follower (zrs 1.7.0) speaks 2 to 3, the publisher 1"), std::string::npos)
      << end.message();
  EXPECT_EQ(end.remedy(), "upgrade zrs on the publisher's host");
}

TEST_F(LaterVersionTest, ItsAcknowledgementIsTaken) {
  const auto message = Decoded<v1::FollowerMessage>("later_acknowledge");
  EXPECT_EQ(message.acknowledge().durable_offset(), 4u);
  EXPECT_EQ(message.acknowledge().received_offset(), 4u);
}

TEST_F(LaterVersionTest, ItsWelcomeIsAccepted) {
  const auto message = Decoded<v1::PublisherMessage>("later_welcome");
  const replication::Copy copy{FirstLineage(), filestorage::Magic::kFs30, kStart};
  const replication::WelcomeDecision decision = replication::CheckWelcome(copy, message.welcome());
  ASSERT_TRUE(std::holds_alternative<replication::AcceptWelcome>(decision))
      << std::get<replication::RefuseWelcome>(decision).end.message();
  EXPECT_EQ(std::get<replication::AcceptWelcome>(decision).start, kStart);
}

TEST_F(LaterVersionTest, ItsBatchIsTaken) {
  const auto message = Decoded<v1::PublisherMessage>("later_batch");
  EXPECT_EQ(message.batch().data(), "bytes");
  EXPECT_EQ(message.batch().digest(), filestorage::DigestOf("bytes").ToBytes());
  EXPECT_EQ(*replication::FromProto(message.batch().predecessor()), kStart);
}

// The check is of all that is in front of it, known here or not.
TEST_F(LaterVersionTest, EveryFlippedBitOfWhatIsNotKnownHereIsFoundToo) {
  const std::string bytes = [] {
    std::vector<grpc::Slice> slices;
    EXPECT_TRUE(Recorded("later_hello").Dump(&slices).ok());
    return std::string(reinterpret_cast<const char*>(slices[0].begin()), slices[0].size());
  }();
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const grpc::Slice slice(damaged);
    grpc::ByteBuffer buffer(&slice, 1);
    v1::FollowerMessage received;
    EXPECT_FALSE(DecodeMessage(buffer, received).ok()) << "bit " << bit;
  }
}

}  // namespace
}  // namespace zrs::transport
