#include "tests/simulation/simulated_network.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace zrs::simulation {
namespace {

class Misuses : public NetworkObserver {
 public:
  void OnPublisherSends(const std::string&, const v1::PublisherMessage&) override {}
  void OnFollowerSends(const std::string&, const std::string&, const v1::FollowerMessage&) override {}
  void OnMisuse(const std::string& node, const std::string& what) override {
    said.push_back(absl::StrCat(node, ": ", what));
  }
  std::vector<std::string> said;
};

// Notes what a stream tells.
template <typename In>
class Notes : public transport::StreamEvents<In> {
 public:
  void OnOpen() override { ++opened; }
  void OnMessage(In message) override { messages.push_back(std::move(message)); }
  void OnWritten() override { ++written; }
  void OnClosed(absl::Status with) override {
    ++closed;
    status = std::move(with);
  }
  int opened = 0;
  int written = 0;
  int closed = 0;
  absl::Status status;
  std::vector<In> messages;
};

v1::FollowerMessage Hello() {
  v1::FollowerMessage message;
  message.mutable_hello()->set_storage("1");
  return message;
}

v1::PublisherMessage Batch(size_t size) {
  v1::PublisherMessage message;
  message.mutable_batch()->set_data(std::string(size, 'x'));
  return message;
}

class SimulatedNetworkTest : public testing::Test {
 protected:
  SimulatedNetworkTest() {
    network_.Listen("server", [this](std::shared_ptr<transport::PublisherStream> stream, v1::Hello hello) {
      EXPECT_EQ(hello.storage(), "1");
      server_ = std::move(stream);
      server_->Start(server_notes_);
    });
  }

  // Nothing of a test is alive when the network ends.
  ~SimulatedNetworkTest() override {
    client_.reset();
    server_.reset();
    Run(absl::Minutes(5));
  }

  void Dial() {
    client_ = dialer_->Dial("server");
    client_->Start(client_notes_);
  }

  void Connect() {
    Dial();
    client_->Write(Hello());
    Run(absl::Seconds(1));
    ASSERT_NE(server_, nullptr);
    ASSERT_EQ(client_notes_->opened, 1);
    ASSERT_EQ(server_notes_->opened, 1);
    ASSERT_EQ(client_notes_->written, 1);
  }

  void Run(absl::Duration time) {
    queue_.RunUntil(queue_.now() + time, [] { return false; });
  }

  EventQueue queue_{1};
  Misuses misuses_;
  SimulatedNetwork network_{queue_, misuses_, {.window = 1000}};
  std::unique_ptr<transport::Dialer> dialer_ = network_.MakeDialer("client");
  std::shared_ptr<transport::FollowerStream> client_;
  std::shared_ptr<transport::PublisherStream> server_;
  std::shared_ptr<Notes<v1::PublisherMessage>> client_notes_ = std::make_shared<Notes<v1::PublisherMessage>>();
  std::shared_ptr<Notes<v1::FollowerMessage>> server_notes_ = std::make_shared<Notes<v1::FollowerMessage>>();
};

TEST_F(SimulatedNetworkTest, MessagesArriveInOrderAndOnlyWhenAskedFor) {
  Connect();
  for (size_t i = 1; i <= 3; ++i) {
    server_->Write(Batch(i));
    Run(absl::Seconds(1));
  }
  EXPECT_EQ(server_notes_->written, 3);
  EXPECT_TRUE(client_notes_->messages.empty());
  for (size_t i = 1; i <= 3; ++i) {
    client_->Read();
    Run(absl::Seconds(1));
    ASSERT_EQ(client_notes_->messages.size(), i);
    EXPECT_EQ(client_notes_->messages.back().batch().data().size(), i);
  }
}

TEST_F(SimulatedNetworkTest, WriteWaitsWhileTheReceiverDoesNotRead) {
  Connect();
  server_->Write(Batch(900));
  Run(absl::Seconds(1));
  EXPECT_EQ(server_notes_->written, 1);
  server_->Write(Batch(900));
  Run(absl::Minutes(1));
  EXPECT_EQ(server_notes_->written, 1);
  client_->Read();
  Run(absl::Seconds(1));
  EXPECT_EQ(server_notes_->written, 2);
}

TEST_F(SimulatedNetworkTest, MessageLargerThanTheWindowTravelsAlone) {
  Connect();
  server_->Write(Batch(100'000));
  client_->Read();
  Run(absl::Seconds(1));
  ASSERT_EQ(client_notes_->messages.size(), 1u);
}

TEST_F(SimulatedNetworkTest, ServersCloseComesAfterItsMessages) {
  Connect();
  server_->Write(Batch(10));
  server_->Close();
  Run(absl::Seconds(1));
  EXPECT_EQ(server_notes_->closed, 1);
  EXPECT_TRUE(server_notes_->status.ok());
  EXPECT_EQ(client_notes_->closed, 0);
  client_->Read();
  Run(absl::Seconds(1));
  EXPECT_EQ(client_notes_->messages.size(), 1u);
  EXPECT_EQ(client_notes_->closed, 1);
  EXPECT_TRUE(client_notes_->status.ok()) << client_notes_->status;
}

TEST_F(SimulatedNetworkTest, ClientsCloseIsAnsweredByAServerThatReads) {
  Connect();
  server_->Read();
  client_->Close();
  Run(absl::Seconds(1));
  EXPECT_EQ(server_notes_->closed, 1);
  EXPECT_TRUE(server_notes_->status.ok());
  EXPECT_EQ(client_notes_->closed, 1);
  EXPECT_TRUE(client_notes_->status.ok());
}

TEST_F(SimulatedNetworkTest, CloseWithoutAnAnswerTearsTheStreamDown) {
  Connect();
  client_->Close();
  Run(absl::Seconds(4));
  EXPECT_EQ(client_notes_->closed, 0);
  Run(absl::Seconds(2));
  EXPECT_EQ(client_notes_->closed, 1);
  EXPECT_FALSE(client_notes_->status.ok());
  EXPECT_EQ(server_notes_->closed, 1);
}

TEST_F(SimulatedNetworkTest, CancelAndDroppingCloseBothSidesOnce) {
  Connect();
  client_->Cancel();
  client_.reset();
  Run(absl::Seconds(1));
  EXPECT_EQ(client_notes_->closed, 1);
  EXPECT_EQ(server_notes_->closed, 1);
  EXPECT_FALSE(server_notes_->status.ok());
}

TEST_F(SimulatedNetworkTest, CallsAfterTheCloseAreIgnored) {
  Connect();
  client_->Cancel();
  Run(absl::Seconds(1));
  client_->Write(Hello());
  client_->Read();
  client_->Close();
  client_->Cancel();
  Run(absl::Minutes(1));
  EXPECT_EQ(client_notes_->closed, 1);
  EXPECT_EQ(client_notes_->written, 1);
  EXPECT_TRUE(misuses_.said.empty());
}

TEST_F(SimulatedNetworkTest, TwoWritesOrReadsAtATimeAreMisuse) {
  Connect();
  client_->Write(Hello());
  client_->Write(Hello());
  client_->Read();
  client_->Read();
  EXPECT_EQ(misuses_.said.size(), 2u);
}

TEST_F(SimulatedNetworkTest, ConnectToNobodyIsClosedWithoutOpen) {
  network_.StopListening("server");
  Dial();
  Run(absl::Seconds(1));
  EXPECT_EQ(client_notes_->opened, 0);
  EXPECT_EQ(client_notes_->closed, 1);
  EXPECT_TRUE(absl::IsUnavailable(client_notes_->status));
}

TEST_F(SimulatedNetworkTest, BlockRefusesUntilItsTimeIsOver) {
  network_.Block("client", "server", absl::Minutes(2));
  Dial();
  Run(absl::Minutes(1));
  EXPECT_EQ(client_notes_->opened, 0);
  EXPECT_EQ(client_notes_->closed, 1);
  Run(absl::Minutes(2));
  client_notes_ = std::make_shared<Notes<v1::PublisherMessage>>();
  Connect();
}

TEST_F(SimulatedNetworkTest, CutIsNoticedByBothSidesAndLosesWhatIsOnItsWay) {
  Connect();
  client_->Read();
  server_->Write(Batch(10));
  network_.Cut("server", "client", false);
  Run(absl::Seconds(1));
  EXPECT_TRUE(client_notes_->messages.empty());
  EXPECT_TRUE(absl::IsUnavailable(client_notes_->status));
  EXPECT_TRUE(absl::IsUnavailable(server_notes_->status));
}

TEST_F(SimulatedNetworkTest, HalfOpenCutIsNoticedByOneSideLater) {
  Connect();
  network_.Cut("client", "server", true);
  Run(absl::Seconds(1));
  EXPECT_EQ(client_notes_->closed + server_notes_->closed, 1);
  Run(absl::Minutes(1));
  EXPECT_EQ(client_notes_->closed, 1);
  EXPECT_EQ(server_notes_->closed, 1);
}

TEST_F(SimulatedNetworkTest, KilledProcessIsToldNothingAndItsPeerIs) {
  Connect();
  network_.KillProcess("server", false);
  Run(absl::Minutes(1));
  EXPECT_EQ(server_notes_->closed, 0);
  EXPECT_TRUE(absl::IsUnavailable(client_notes_->status));
  network_.ReleaseProcess("server");
  EXPECT_EQ(server_notes_.use_count(), 1);
}

TEST_F(SimulatedNetworkTest, PeerOfALostHostNoticesLater) {
  Connect();
  network_.KillProcess("server", true);
  Run(absl::Milliseconds(900));
  EXPECT_EQ(client_notes_->closed, 0);
  Run(absl::Minutes(1));
  EXPECT_EQ(client_notes_->closed, 1);
}

TEST_F(SimulatedNetworkTest, CorruptionChangesOneBatch) {
  Connect();
  network_.CorruptNextBatch();
  for (int i = 0; i < 2; ++i) {
    server_->Write(Batch(10));
    client_->Read();
    Run(absl::Seconds(1));
  }
  ASSERT_EQ(client_notes_->messages.size(), 2u);
  EXPECT_NE(client_notes_->messages[0].batch().data(), std::string(10, 'x'));
  EXPECT_EQ(client_notes_->messages[1].batch().data(), std::string(10, 'x'));
}

TEST_F(SimulatedNetworkTest, EventsAreReleasedAfterTheClose) {
  Connect();
  client_->Cancel();
  Run(absl::Seconds(1));
  EXPECT_EQ(client_notes_.use_count(), 1);
  EXPECT_EQ(server_notes_.use_count(), 1);
}

}  // namespace
}  // namespace zrs::simulation
