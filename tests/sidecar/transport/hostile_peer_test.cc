// Peers that do not keep to the protocol.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/transport/message_codec.h"
#include "tests/sidecar/transport/loopback.h"
#include "tests/sidecar/transport/raw_call.h"

namespace zrs::transport {
namespace {

const std::string kGarbage = "\xff\xff\xff\xffgarbage";

std::string Encoded(v1::FollowerMessage message) { return ToBytes(EncodeMessage(std::move(message))); }

void FillLineage(int epochs, v1::Lineage& lineage) {
  lineage.Clear();
  lineage.set_database_id(std::string(16, 'd'));
  for (int i = 0; i < epochs; ++i) {
    v1::Epoch& epoch = *lineage.add_epochs();
    epoch.set_id(absl::StrFormat("%016d", i));
    epoch.set_origin(v1::Epoch::ORIGIN_REPLACED);
    epoch.set_generation(replication::kMostGeneration);
    v1::Boundary& left = *epoch.mutable_left();
    left.set_offset((uint64_t{1} << 63) - 1);
    left.set_last_offset(uint64_t{1} << 62);
    left.set_tid(~uint64_t{0});
    left.set_digest(std::string(16, 'x'));
  }
}

class HostileFollowerTest : public ::testing::Test {
 protected:
  // A stream whose Hello has been sent, and its publisher's end.
  std::unique_ptr<RawCall> Greeted() {
    auto call = std::make_unique<RawCall>(LoopbackAddress(*server_), kFollow);
    EXPECT_TRUE(call->Write(Encoded(HelloMessage("one"))));
    publisher_ = storages_.Next().stream;
    EXPECT_NE(publisher_, nullptr);
    publisher_->Start(events_);
    publisher_->Read();
    return call;
  }
  void ExpectStillServing() {
    const std::unique_ptr<Dialer> dialer = MakeGrpcDialer();
    EXPECT_NE(Connect(*dialer, LoopbackAddress(*server_), storages_).publisher, nullptr);
  }

  FakeStorages storages_{{"one"}};
  std::unique_ptr<ReplicationServer> server_ = MustStart({.address = "127.0.0.1:0"}, storages_);
  std::shared_ptr<PublisherStream> publisher_;
  std::shared_ptr<PublisherRecorder> events_ = std::make_shared<PublisherRecorder>();
};

TEST_F(HostileFollowerTest, GarbageForAHello) {
  RawCall call(LoopbackAddress(*server_), kFollow);
  call.Write(kGarbage);
  EXPECT_EQ(call.Read(), std::nullopt);
  const grpc::Status status = call.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  ExpectStillServing();
}

TEST_F(HostileFollowerTest, AnEmptyFirstMessage) {
  RawCall call(LoopbackAddress(*server_), kFollow);
  call.Write(Encoded({}));
  EXPECT_NE(call.Read(), std::nullopt) << "an End";
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  ExpectStillServing();
}

TEST_F(HostileFollowerTest, AHelloWithoutItsCheck) {
  RawCall call(LoopbackAddress(*server_), kFollow);
  call.Write(HelloMessage("one").SerializeAsString());
  EXPECT_EQ(call.Read(), std::nullopt);
  const grpc::Status status = call.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_NE(status.error_message().find("without its check"), std::string::npos) << status.error_message();
  ExpectStillServing();
}

TEST_F(HostileFollowerTest, GarbageAfterTheHello) {
  const auto call = Greeted();
  call->Write(kGarbage);
  EXPECT_TRUE(events_->WaitClosed());
  EXPECT_TRUE(absl::IsInvalidArgument(events_->status())) << events_->status();
  EXPECT_EQ(call->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  ExpectStillServing();
}

TEST_F(HostileFollowerTest, ANameThatIsNoUtf8) {
  RawCall call(LoopbackAddress(*server_), kFollow);
  std::string hello = Encoded(HelloMessage("xx"));
  hello[hello.find("xx")] = '\xff';
  call.Write(hello);
  EXPECT_EQ(call.Read(), std::nullopt);
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  ExpectStillServing();
}

TEST_F(HostileFollowerTest, AMessageOfExactlyTheLargestSizeIsTaken) {
  const auto call = Greeted();
  v1::FollowerMessage message = HelloMessage(std::string(kLargestWithoutBatch - 100, 'x'));
  while (Encoded(message).size() < kLargestWithoutBatch) message.mutable_hello()->mutable_storage()->push_back('x');
  ASSERT_EQ(Encoded(message).size(), kLargestWithoutBatch);
  EXPECT_TRUE(call->Write(Encoded(message)));
  EXPECT_TRUE(events_->WaitMessages(1));
  publisher_->Read();
  message.mutable_hello()->mutable_storage()->push_back('x');
  call->Write(Encoded(message));
  EXPECT_TRUE(events_->WaitClosed());
  EXPECT_TRUE(absl::IsInvalidArgument(events_->status())) << events_->status();
  const grpc::Status status = call->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_NE(status.error_message().find(absl::StrCat(kLargestWithoutBatch)), std::string::npos)
      << status.error_message();
  ExpectStillServing();
}

// So many epochs as a lineage may have, each as long as one can be, in both of a hello's lineages.
TEST_F(HostileFollowerTest, TheLongestHelloThatIsAllowedHasRoomToGrow) {
  v1::FollowerMessage message = HelloMessage("one");
  FillLineage(replication::kMostEpochs, *message.mutable_hello()->mutable_lineage());
  FillLineage(replication::kMostEpochs, *message.mutable_hello()->mutable_rebuild()->mutable_lineage());
  EXPECT_TRUE(replication::ValidateLineage(message.hello().lineage()).ok());
  EXPECT_LT(Encoded(message).size(), kLargestWithoutBatch / 2);
  RawCall call(LoopbackAddress(*server_), kFollow);
  EXPECT_TRUE(call.Write(Encoded(message)));
  EXPECT_EQ(storages_.Next().hello.SerializeAsString(), message.hello().SerializeAsString());
}

// What is too long for a lineage, and not for a message, is refused by who knows what it is.
TEST_F(HostileFollowerTest, AHelloOfTenThousandEpochsArrivesIfItIsShortEnough) {
  v1::FollowerMessage message = HelloMessage("one");
  FillLineage(10'000, *message.mutable_hello()->mutable_lineage());
  for (v1::Epoch& epoch : *message.mutable_hello()->mutable_lineage()->mutable_epochs()) epoch.clear_left();
  RawCall call(LoopbackAddress(*server_), kFollow);
  EXPECT_TRUE(call.Write(Encoded(message)));
  const Accepted accepted = storages_.Next();
  ASSERT_NE(accepted.stream, nullptr);
  const absl::Status refused = replication::ValidateLineage(accepted.hello.lineage());
  EXPECT_NE(refused.message().find("10000 epochs"), std::string::npos) << refused;
}

TEST_F(HostileFollowerTest, AHelloOfTenThousandLongEpochsIsToldToItsSender) {
  v1::FollowerMessage message = HelloMessage("one");
  FillLineage(10'000, *message.mutable_hello()->mutable_lineage());
  RawCall call(LoopbackAddress(*server_), kFollow);
  call.Write(Encoded(message));
  const grpc::Status status = call.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  EXPECT_NE(status.error_message().find(absl::StrCat(kLargestWithoutBatch)), std::string::npos)
      << status.error_message();
  ExpectStillServing();
}

TEST_F(HostileFollowerTest, AMessageOverTheLimitIsToldToItsSender) {
  const auto call = Greeted();
  call->Write(std::string(kLargestMessage + 1, 'x'));
  EXPECT_TRUE(events_->WaitClosed());
  EXPECT_TRUE(absl::IsUnavailable(events_->status())) << events_->status();
  EXPECT_NE(events_->status().message().find(absl::StrCat(kLargestMessage)), std::string::npos) << events_->status();
  const grpc::Status status = call->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  EXPECT_NE(status.error_message().find(absl::StrCat(kLargestMessage)), std::string::npos) << status.error_message();
  ExpectStillServing();
}

TEST_F(HostileFollowerTest, AnotherMethod) {
  RawCall call(LoopbackAddress(*server_), "/zrs.v1.Replication/Nothing");
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::UNIMPLEMENTED);
  ExpectStillServing();
}

TEST_F(HostileFollowerTest, APeerThatSpeaksSomethingElse) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(server_->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  const std::string line = "GET / HTTP/1.0\r\n\r\n";
  EXPECT_EQ(send(fd, line.data(), line.size(), MSG_NOSIGNAL), static_cast<ssize_t>(line.size()));
  char byte = 0;
  while (recv(fd, &byte, 1, 0) > 0) {
  }
  close(fd);
  ExpectStillServing();
}

// Answers every call by one message of the test's bytes, or by its status at once where there are none; then waits
// until the client goes.
class HostilePublisher {
 public:
  explicit HostilePublisher(std::string bytes) : service_(std::move(bytes)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
  }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Reactor(const std::string& bytes) : message_(ToBuffer(bytes)) {
      if (bytes.empty()) {
        End(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "no such thing here"));
      } else {
        StartWrite(&message_);
      }
    }
    void OnCancel() override { End(grpc::Status::CANCELLED); }
    void OnDone() override { delete this; }

   private:
    void End(const grpc::Status& status) {
      if (!ended_.exchange(true)) Finish(status);
    }

    const grpc::ByteBuffer message_;
    std::atomic<bool> ended_{false};
  };
  class Service final : public grpc::CallbackGenericService {
   public:
    explicit Service(std::string bytes) : bytes_(std::move(bytes)) {}
    grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
      return new Reactor(bytes_);
    }

   private:
    const std::string bytes_;
  };

  Service service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

absl::Status FollowHostile(const std::string& bytes) {
  const HostilePublisher publisher(bytes);
  const std::unique_ptr<Dialer> dialer = MakeGrpcDialer();
  const auto events = std::make_shared<FollowerRecorder>();
  const std::shared_ptr<FollowerStream> stream = dialer->Dial(publisher.address());
  stream->Start(events);
  stream->Read();
  EXPECT_TRUE(events->WaitClosed());
  EXPECT_EQ(events->messages().size(), 0u);
  EXPECT_EQ(events->violations(), 0u);
  EXPECT_NE(events->status().message().find("127.0.0.1:"), std::string::npos) << events->status();
  return events->status();
}

TEST(HostilePublisherTest, Garbage) {
  const absl::Status status = FollowHostile(kGarbage);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_NE(status.message().find("11 bytes"), std::string::npos) << status;
}

TEST(HostilePublisherTest, AMessageOverTheLimit) {
  const absl::Status status = FollowHostile(std::string(kLargestMessage + 1, 'x'));
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_NE(status.message().find(absl::StrCat(kLargestMessage)), std::string::npos) << status;
}

TEST(HostilePublisherTest, AServerOfSomethingElse) {
  const absl::Status status = FollowHostile("");
  EXPECT_TRUE(absl::IsUnimplemented(status)) << status;
  EXPECT_NE(status.message().find("no such thing here"), std::string::npos) << status;
}

}  // namespace
}  // namespace zrs::transport
