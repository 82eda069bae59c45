// Streams between a dialer and a server of this process, over TCP and over a Unix socket.
#include <stdlib.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/sidecar/transport/loopback.h"

namespace zrs::transport {
namespace {

using std::chrono::milliseconds;

class StreamTest : public ::testing::TestWithParam<std::string> {
 protected:
  StreamTest() {
    const std::string socket = directory_.Path("zrs.sock");
    server_ = MustStart({.address = GetParam() == "tcp" ? "127.0.0.1:0" : socket}, storages_);
    address_ = GetParam() == "tcp" ? LoopbackAddress(*server_) : socket;
  }
  Connection MustConnect() {
    Connection connection = Connect(*dialer_, address_, storages_);
    EXPECT_NE(connection.publisher, nullptr);
    return connection;
  }
  static void ExpectOrderly(Connection& connection) {
    EXPECT_TRUE(connection.follower_events->WaitClosed());
    EXPECT_TRUE(connection.publisher_events->WaitClosed());
    EXPECT_TRUE(connection.follower_events->status().ok()) << connection.follower_events->status();
    EXPECT_TRUE(connection.publisher_events->status().ok()) << connection.publisher_events->status();
    ExpectContract(connection);
  }
  static void ExpectContract(const Connection& connection) {
    EXPECT_EQ(connection.follower_events->closed(), 1u);
    EXPECT_EQ(connection.publisher_events->closed(), 1u);
    EXPECT_EQ(connection.follower_events->violations(), 0u);
    EXPECT_EQ(connection.publisher_events->violations(), 0u);
  }

  SocketDirectory directory_;
  FakeStorages storages_{{"one"}};
  std::string address_;
  std::unique_ptr<Dialer> dialer_ = MakeGrpcDialer();
  std::unique_ptr<ReplicationServer> server_;
};

INSTANTIATE_TEST_SUITE_P(Over, StreamTest, ::testing::Values("tcp", "unix"),
                         [](const auto& parameter) { return parameter.param; });

TEST_P(StreamTest, HelloArrivesWithTheStream) {
  Connection connection = MustConnect();
  EXPECT_EQ(connection.storage, "one");
  EXPECT_EQ(connection.hello.highest_version(), 1u);
  EXPECT_TRUE(connection.publisher_events->WaitOpened());
  EXPECT_EQ(connection.publisher->peer().rfind(GetParam() == "tcp" ? "ipv4:127.0.0.1:" : "unix:", 0), 0u)
      << connection.publisher->peer();
  EXPECT_FALSE(connection.follower->peer().empty());
}

TEST_P(StreamTest, MessagesPassBothWaysUnchanged) {
  Connection connection = MustConnect();
  constexpr size_t kRounds = 50;
  for (size_t round = 0; round < kRounds; round++) {
    connection.publisher->Read();
    connection.follower->Read();
    const size_t size = round * 5000;
    connection.publisher->Write(BatchMessage(size, static_cast<char>('a' + round % 26)));
    connection.follower->Write(AcknowledgeMessage(round));
    ASSERT_TRUE(connection.follower_events->WaitMessages(round + 1));
    ASSERT_TRUE(connection.publisher_events->WaitMessages(round + 1));
    ASSERT_TRUE(connection.publisher_events->WaitWritten(round + 1));
    ASSERT_TRUE(connection.follower_events->WaitWritten(round + 2));  // and the hello
    EXPECT_EQ(connection.follower_events->messages().back().batch().data(),
              std::string(size, static_cast<char>('a' + round % 26)));
    EXPECT_EQ(connection.publisher_events->messages().back().acknowledge().durable_offset(), round);
  }
  connection.follower->Close();
  connection.publisher->Read();
  ExpectOrderly(connection);
}

// What fits into the buffers between a writer and a reader that does not read.
constexpr size_t kMostBuffered = 16 << 20;

TEST_P(StreamTest, AFollowerThatDoesNotReadStallsItsPublisherAfterBoundedBytes) {
  Connection connection = MustConnect();
  constexpr size_t kBatch = 256 << 10;
  size_t written = 0;
  do {
    ASSERT_LT(written * kBatch, kMostBuffered);
    connection.publisher->Write(BatchMessage(kBatch));
  } while (connection.publisher_events->WrittenBeyond(written++, milliseconds(200)));
  // Reading lets the writer go on.
  for (size_t i = 1; i <= written; i++) {
    connection.follower->Read();
    ASSERT_TRUE(connection.follower_events->WaitMessages(i));
  }
  EXPECT_TRUE(connection.publisher_events->WaitWritten(written));
  connection.publisher->Close();
  ExpectOrderly(connection);
}

TEST_P(StreamTest, APublisherThatDoesNotReadStallsItsFollowerAfterBoundedBytes) {
  Connection connection = MustConnect();
  v1::FollowerMessage large = HelloMessage(std::string(256 << 10, 's'));
  size_t written = 1;  // the hello
  do {
    ASSERT_LT(written * (256 << 10), kMostBuffered);
    connection.follower->Write(large);
  } while (connection.follower_events->WrittenBeyond(written++, milliseconds(200)));
  connection.follower->Cancel();
  EXPECT_TRUE(connection.follower_events->WaitClosed());
  EXPECT_TRUE(connection.publisher_events->WaitClosed());
  EXPECT_TRUE(absl::IsUnavailable(connection.publisher_events->status())) << connection.publisher_events->status();
  ExpectContract(connection);
}

TEST_P(StreamTest, ThePublisherClosesBehindItsLastWrite) {
  Connection connection = MustConnect();
  connection.publisher->Write(BatchMessage(100'000));
  connection.publisher->Close();
  connection.follower->Read();
  ASSERT_TRUE(connection.follower_events->WaitMessages(1));
  EXPECT_EQ(connection.follower_events->messages()[0].batch().data().size(), 100'000u);
  ExpectOrderly(connection);
}

TEST_P(StreamTest, TheFollowerClosesBehindItsLastWrite) {
  Connection connection = MustConnect();
  connection.follower->Write(AcknowledgeMessage(7));
  connection.follower->Close();
  connection.publisher->Read();
  ASSERT_TRUE(connection.publisher_events->WaitMessages(1));
  connection.publisher->Read();
  ExpectOrderly(connection);
}

TEST_P(StreamTest, TheEndIsNoticedByAFollowerThatNeitherReadsNorWrites) {
  Connection connection = MustConnect();
  connection.publisher->Close();
  ExpectOrderly(connection);
}

TEST_P(StreamTest, TheFollowerClosesWhileThePublisherIsStalled) {
  Connection connection = MustConnect();
  size_t written = 0;
  do {
    connection.publisher->Write(BatchMessage(256 << 10));
  } while (connection.publisher_events->WrittenBeyond(written++, milliseconds(200)));
  connection.publisher->Read();
  connection.follower->Close();
  ExpectOrderly(connection);
  EXPECT_EQ(connection.follower_events->messages().size(), 0u);
}

TEST_P(StreamTest, BothCloseAtOnce) {
  Connection connection = MustConnect();
  connection.publisher->Read();
  std::thread other([&] { connection.publisher->Close(); });
  connection.follower->Close();
  other.join();
  ExpectOrderly(connection);
}

TEST_P(StreamTest, DroppingThePublishersStreamClosesIt) {
  Connection connection = MustConnect();
  connection.publisher.reset();
  ExpectOrderly(connection);
}

TEST_P(StreamTest, DroppingTheFollowersStreamClosesIt) {
  Connection connection = MustConnect();
  connection.publisher->Read();
  connection.follower.reset();
  ExpectOrderly(connection);
}

TEST_P(StreamTest, TheFollowerCancels) {
  Connection connection = MustConnect();
  connection.follower->Cancel();
  EXPECT_TRUE(connection.follower_events->WaitClosed());
  EXPECT_TRUE(connection.publisher_events->WaitClosed());
  EXPECT_EQ(connection.follower_events->status().code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(absl::IsUnavailable(connection.publisher_events->status())) << connection.publisher_events->status();
  ExpectContract(connection);
}

TEST_P(StreamTest, ThePublisherCancels) {
  Connection connection = MustConnect();
  connection.follower->Read();
  connection.publisher->Cancel();
  EXPECT_TRUE(connection.follower_events->WaitClosed());
  EXPECT_TRUE(connection.publisher_events->WaitClosed());
  EXPECT_FALSE(connection.follower_events->status().ok());
  EXPECT_EQ(connection.publisher_events->status().code(), absl::StatusCode::kCancelled);
  ExpectContract(connection);
}

TEST_P(StreamTest, AnAcceptedStreamMayBeStartedAfterItsPeerHasGone) {
  const auto events = std::make_shared<FollowerRecorder>();
  std::shared_ptr<FollowerStream> follower = dialer_->Dial(address_);
  follower->Start(events);
  ASSERT_TRUE(events->WaitOpened());
  follower->Write(HelloMessage(""));
  const Accepted accepted = storages_.Next();
  ASSERT_NE(accepted.stream, nullptr);
  follower->Cancel();
  ASSERT_TRUE(events->WaitClosed());
  const auto publisher_events = std::make_shared<PublisherRecorder>();
  accepted.stream->Start(publisher_events);
  EXPECT_TRUE(publisher_events->WaitClosed());
  EXPECT_TRUE(absl::IsUnavailable(publisher_events->status())) << publisher_events->status();
}

TEST_P(StreamTest, AnAcceptedStreamThatIsDroppedUnstartedIsClosed) {
  const auto events = std::make_shared<FollowerRecorder>();
  std::shared_ptr<FollowerStream> follower = dialer_->Dial(address_);
  follower->Start(events);
  ASSERT_TRUE(events->WaitOpened());
  follower->Write(HelloMessage(""));
  storages_.Next();
  EXPECT_TRUE(events->WaitClosed());
  EXPECT_TRUE(events->status().ok()) << events->status();
}

TEST_P(StreamTest, TheServerIsGone) {
  Connection connection = MustConnect();
  connection.follower->Read();
  server_.reset();
  EXPECT_EQ(connection.publisher_events->closed(), 1u) << "the server waits until its streams are closed";
  EXPECT_TRUE(connection.follower_events->WaitClosed());
  EXPECT_FALSE(connection.follower_events->status().ok());
  ExpectContract(connection);
  connection.publisher->Write(BatchMessage(1));
  connection.publisher->Read();
  connection.publisher.reset();
}

TEST_P(StreamTest, TheDialerIsGone) {
  Connection connection = MustConnect();
  dialer_.reset();
  EXPECT_EQ(connection.follower_events->closed(), 1u) << "the dialer waits until its streams are closed";
  EXPECT_EQ(connection.follower_events->status().code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(connection.publisher_events->WaitClosed());
  connection.follower->Write(AcknowledgeMessage(1));
  connection.follower.reset();
}

TEST_P(StreamTest, AStreamThatIsStartedAfterItsDialerHasGoneIsClosed) {
  const std::shared_ptr<FollowerStream> follower = dialer_->Dial(address_);
  dialer_.reset();
  const auto events = std::make_shared<FollowerRecorder>();
  follower->Start(events);
  EXPECT_EQ(events->status().code(), absl::StatusCode::kCancelled);
}

TEST_P(StreamTest, AStreamThatIsNeverStartedIsHarmless) {
  dialer_->Dial(address_).reset();
  const std::shared_ptr<FollowerStream> follower = dialer_->Dial(address_);
  follower->Write(HelloMessage(""));
  follower->Close();
}

TEST_P(StreamTest, ManyStreamsInParallel) {
  constexpr size_t kStreams = 64;
  constexpr size_t kRounds = 20;
  std::vector<Connection> connections;
  for (size_t i = 0; i < kStreams; i++) connections.push_back(MustConnect());
  for (size_t round = 1; round <= kRounds; round++) {
    for (Connection& connection : connections) {
      connection.follower->Read();
      connection.publisher->Write(BatchMessage(20'000));
    }
    for (Connection& connection : connections) {
      ASSERT_TRUE(connection.follower_events->WaitMessages(round));
      ASSERT_TRUE(connection.publisher_events->WaitWritten(round));
    }
  }
  for (Connection& connection : connections) connection.publisher->Close();
  for (Connection& connection : connections) ExpectOrderly(connection);
}

// Every order of ends that a schedule of the machine's brings up.
TEST_P(StreamTest, StreamsEndInAnyOrder) {
  unsigned seed = static_cast<unsigned>(absl::ToUnixNanos(absl::Now()));
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  for (int round = 0; round < 60; round++) {
    Connection connection = MustConnect();
    if (rand_r(&seed) % 2 == 0) connection.follower->Read();
    if (rand_r(&seed) % 2 == 0) connection.publisher->Read();
    connection.publisher->Write(BatchMessage(static_cast<size_t>(rand_r(&seed) % 400'000)));
    const int how = rand_r(&seed) % 6;
    std::thread other([&connection, how] {
      if (how % 3 == 0) connection.publisher->Close();
      if (how % 3 == 1) connection.publisher->Cancel();
      if (how % 3 == 2) connection.publisher.reset();
    });
    how < 3 ? connection.follower->Cancel() : connection.follower.reset();
    other.join();
    EXPECT_TRUE(connection.follower_events->WaitClosed());
    EXPECT_TRUE(connection.publisher_events->WaitClosed());
    ExpectContract(connection);
  }
}

}  // namespace
}  // namespace zrs::transport
