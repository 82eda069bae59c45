// A copy is compared with an upstream that does not answer as a publisher does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "proto/zrs/v1/admin.pb.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/replication/boundary_message.h"
#include "tests/sidecar/storage/scripted_peers.h"
#include "tests/sidecar/storage/storage_test_fixture.h"

namespace zrs::storage {
namespace {

class HostileUpstreamTest : public PairTest {
 protected:
  HostileUpstreamTest() {
    Begin();
    RunUntilState(secondary_, "streaming");
    primary_.Stop();
  }
  void TearDown() override {
    EXPECT_NE(secondary_.Status().state(), "diverged");
    EXPECT_EQ(secondary_.Data(), file_.bytes());
  }

  static v1::PublisherMessage Welcome() {
    v1::PublisherMessage message;
    message.mutable_welcome()->set_version(1);
    message.mutable_welcome()->set_decision(v1::Welcome::DECISION_INSPECT);
    message.mutable_welcome()->set_magic("FS30");
    return message;
  }
  // What such an upstream says, behind a welcome that makes sense or without one, and then nothing more.
  auto Say(std::vector<v1::PublisherMessage> messages, bool after_welcome) {
    return [this, messages = std::move(messages), after_welcome](const v1::Hello& hello) {
      std::vector<v1::PublisherMessage> all = messages;
      v1::PublisherMessage first = Welcome();
      *first.mutable_welcome()->mutable_lineage() = hello.lineage();
      *first.mutable_welcome()->mutable_start() = replication::ToProto(file_.end());
      first.mutable_welcome()->set_committed_end(file_.size());
      if (after_welcome) all.insert(all.begin(), first);
      return InTurn(std::move(all));
    };
  }
};

TEST_F(HostileUpstreamTest, AnswersThatMakeNoSense) {
  v1::PublisherMessage digest;
  digest.mutable_range_digest()->set_begin(4);
  v1::PublisherMessage found;
  found.mutable_found_transaction()->set_begin(17);
  v1::PublisherMessage batch;
  batch.mutable_batch()->set_offset(4);
  v1::PublisherMessage resume = Welcome();
  resume.mutable_welcome()->set_decision(v1::Welcome::DECISION_RESUME);
  for (const v1::PublisherMessage& message : {digest, found, batch, resume, Welcome(), v1::PublisherMessage()}) {
    for (const bool after : {false, true}) {
      ScriptedPublisher publisher(world_.network(), "primary", Say({message}, after));
      const v1::CompareResponse response = secondary_.Compare();
      EXPECT_EQ(response.result(), v1::CompareResponse::RESULT_FAILED) << message.DebugString() << response.message();
      EXPECT_TRUE(world_.RunUntil([&] { return publisher.streams().back()->closed; }));
    }
  }
}

// Its answer was lost on a connection that is kept alive.
TEST_F(HostileUpstreamTest, NoAnswerForALongTime) {
  for (const bool after_welcome : {false, true}) {
    const ScriptedPublisher publisher(world_.network(), "primary", Say({}, after_welcome));
    std::optional<v1::CompareResponse> response;
    secondary_.BeginCompare(0, response);
    world_.RunFor(absl::Minutes(59));
    EXPECT_FALSE(response) << response->message();
    world_.RunFor(absl::Minutes(2));
    ASSERT_TRUE(response);
    EXPECT_EQ(response->result(), v1::CompareResponse::RESULT_FAILED);
    EXPECT_THAT(response->message(), testing::HasSubstr("has not answered for 1h"));
  }
}

}  // namespace
}  // namespace zrs::storage
