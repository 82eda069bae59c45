// Followers that come, go and come back, and what the publisher says of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/sidecar/replication/fixtures.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/scripted_peers.h"
#include "tests/sidecar/storage/storage_test_fixture.h"
#include "tests/support/captured_log.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using ::testing::HasSubstr;
using Script = ScriptedStream<v1::FollowerMessage, v1::PublisherMessage>;

class FollowerComingsTest : public StorageTest {
 protected:
  FollowerComingsTest() {
    primary_.SetMaxFollowers(1);
    primary_.Write(file_.bytes());
    primary_.Start();
    RunUntilState(primary_, "streaming");
  }

  // A follower that says hello as this node, then nothing more.
  std::shared_ptr<Script> Follow(const std::string& node_id, const std::string& upstream = "primary") {
    v1::FollowerMessage message;
    *message.mutable_hello() = replication::HelloAt(filestorage::Boundary{});
    message.mutable_hello()->set_node_id(node_id);
    return Script::Start(dialer_->Dial(upstream), InTurn<v1::FollowerMessage>({message}));
  }

  Machine primary_{world_, "primary", ""};
  std::unique_ptr<transport::Dialer> dialer_ = world_.network().MakeDialer("elsewhere");
};

TEST_F(FollowerComingsTest, OneThatCameBackIsNotTwo) {
  const auto silent = Follow("secondary.......");
  EXPECT_TRUE(world_.RunUntil([&] { return primary_.Status().followers_size() == 1; }));
  const tests::CapturedLog log;
  Machine secondary(world_, "secondary", "primary");
  secondary.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return silent->closed; }));
  RunUntilEqual(primary_, secondary);
  // For all that there are.
  EXPECT_EQ(primary_.Wait(0, absl::Seconds(5)).result(), v1::WaitResponse::RESULT_DONE);
  EXPECT_EQ(primary_.Status().followers_size(), 1);
  EXPECT_THAT(log.text(), HasSubstr("disconnected: the same follower came back"));
}

TEST_F(FollowerComingsTest, AnotherOneDoesNotTakeItsPlace) {
  Machine secondary(world_, "secondary", "primary");
  secondary.Start();
  RunUntilEqual(primary_, secondary);
  for (const char* node_id : {"another.........", "", "short"}) {
    const auto other = Follow(node_id);
    EXPECT_TRUE(world_.RunUntil([&] { return other->closed; }));
    ASSERT_EQ(other->received.size(), 1u);
    EXPECT_EQ(other->received[0].end().reason(), v1::End::REASON_REFUSED);
  }
  EXPECT_EQ(primary_.Status().followers_size(), 1);
  EXPECT_TRUE(secondary.Status().upstream().connected());
}

// Else it could not tell a secondary that hears of nobody from a connection that carries nothing.
TEST_F(FollowerComingsTest, OneOfASecondaryHearsOfThePrimaryThatIsGoneToo) {
  Machine middle(world_, "middle", "primary");
  middle.Start();
  RunUntilEqual(primary_, middle);
  const auto follower = Follow("follower........", "middle");
  EXPECT_TRUE(world_.RunUntil([&] { return middle.Status().followers_size() == 1; }));
  primary_.Stop();
  world_.RunFor(absl::Seconds(5));
  follower->received.clear();
  world_.RunFor(absl::Minutes(1));
  EXPECT_FALSE(follower->closed);
  ASSERT_GT(follower->received.size(), 10u);
  uint64_t age = 0;
  for (const v1::PublisherMessage& message : follower->received) {
    ASSERT_TRUE(message.has_heartbeat()) << message.DebugString();
    EXPECT_EQ(message.heartbeat().path_size(), 2);
    EXPECT_GT(message.heartbeat().age_micros(), age);
    age = message.heartbeat().age_micros();
  }
  EXPECT_GT(age, 55'000'000);
  follower->Cancel();
  EXPECT_TRUE(world_.RunUntil([&] { return follower->closed; }));
}

TEST_F(FollowerComingsTest, WhyOneWentIsLogged) {
  const tests::CapturedLog log;
  Machine secondary(world_, "secondary", "primary");
  secondary.Start();
  RunUntilEqual(primary_, secondary);
  secondary.Stop();
  EXPECT_TRUE(world_.RunUntil([&] { return primary_.Status().followers_size() == 0; }));
  EXPECT_THAT(log.text(), HasSubstr("disconnected: it said: "));
  const auto broken = Follow("another.........");
  EXPECT_TRUE(world_.RunUntil([&] { return primary_.Status().followers_size() == 1; }));
  broken->Cancel();
  EXPECT_TRUE(world_.RunUntil([&] { return primary_.Status().followers_size() == 0; }));
  EXPECT_THAT(log.text(), HasSubstr("disconnected: CANCELLED: "));
  v1::FollowerMessage strange;
  *strange.mutable_hello() = replication::HelloAt(filestorage::Boundary{});
  strange.mutable_hello()->set_software(std::string(2000, 'x'));
  const auto refused = Script::Start(dialer_->Dial("primary"), InTurn<v1::FollowerMessage>({strange}));
  EXPECT_TRUE(world_.RunUntil([&] { return refused->closed; }));
  EXPECT_TRUE(world_.RunUntil([&] { return primary_.Status().followers_size() == 0; }));
  EXPECT_THAT(log.text(), HasSubstr("disconnected: malformed hello: "));
}

int Count(const std::string& text, const std::string& what) {
  int count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST_F(FollowerComingsTest, OneThatIsRefusedAgainAndAgainIsLoggedAtALowRate) {
  const tests::CapturedLog log;
  Machine secondary(world_, "secondary", "primary");
  secondary.Start();
  RunUntilEqual(primary_, secondary);
  secondary.Stop();
  primary_.Stop();
  tests::FileBuilder shorter;
  primary_.Replace(shorter.AddMany(10, 900).bytes());
  EXPECT_TRUE(primary_.disk().Remove("/state/primary.state").ok());
  primary_.Start();
  secondary.Start();
  RunUntilState(secondary, "connecting");
  const int connected = Count(log.text(), "connected");
  world_.RunFor(absl::Minutes(9));
  const int once = Count(log.text(), "disconnected");
  EXPECT_LE(Count(log.text(), "connected"), connected + 2) << log.text();
  world_.RunFor(absl::Minutes(10));
  EXPECT_EQ(Count(log.text(), "disconnected"), once + 1) << log.text();
  EXPECT_THAT(log.text(), HasSubstr("more times since"));
}

TEST_F(FollowerComingsTest, AFollowerWithAFullDiskIsLoggedAtALowRateOnBothSides) {
  Machine secondary(world_, "secondary", "primary");
  secondary.Start();
  RunUntilEqual(primary_, secondary);
  world_.RunFor(absl::Seconds(20));
  const tests::CapturedLog log;
  secondary.disk().SetCapacity(file_.size());
  primary_.Write(file_.AddMany(3, 5000).bytes());
  RunUntilState(secondary, "disk-full");
  world_.RunFor(absl::Minutes(5));
  EXPECT_EQ(Count(log.text(), "following"), 0) << log.text();
  EXPECT_LE(Count(log.text(), "disconnected"), 2) << log.text();
  secondary.disk().SetCapacity(UINT64_MAX);
  RunUntilEqual(primary_, secondary);
  RunUntilState(secondary, "streaming");
  EXPECT_EQ(Count(log.text(), "following"), 1) << log.text();
  EXPECT_EQ(Count(log.text(), " healed: "), 1) << log.text();
  const std::string text = log.text();
  EXPECT_GT(text.rfind("follower secondary connected"), text.rfind("disconnected")) << text;
}

TEST_F(FollowerComingsTest, APausedSecondaryWithoutACopyBeginsNone) {
  Machine secondary(world_, "secondary", "primary");
  secondary.Start();
  secondary.Pause();
  world_.RunFor(absl::Seconds(10));
  EXPECT_FALSE(secondary.disk().Exists("/secondary/Data.fs"));
  EXPECT_TRUE(secondary.Status().upstream().connected());
  secondary.Resume();
  RunUntilEqual(primary_, secondary);
}

}  // namespace
}  // namespace zrs::storage
