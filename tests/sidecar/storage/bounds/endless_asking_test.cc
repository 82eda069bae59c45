// Peers that ask without pause: what they cost is bounded, and commits go on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "sidecar/storage/publisher/publisher.h"
#include "tests/sidecar/replication/fixtures.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/scripted_peers.h"
#include "tests/sidecar/storage/storage_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using Script = ScriptedStream<v1::FollowerMessage, v1::PublisherMessage>;

// Asks the next question as soon as the one before was answered.
class Asker final : public transport::FollowerEvents {
 public:
  Asker(std::shared_ptr<transport::FollowerStream> stream, std::vector<v1::FollowerMessage> messages)
      : stream_(std::move(stream)), messages_(std::move(messages)) {}
  static std::shared_ptr<Asker> Start(std::shared_ptr<transport::FollowerStream> stream,
                                      std::vector<v1::FollowerMessage> messages) {
    auto self = std::make_shared<Asker>(std::move(stream), std::move(messages));
    self->stream_->Start(self);
    return self;
  }

  void OnOpen() override {
    stream_->Read();
    stream_->Write(messages_.front());
  }
  void OnMessage(v1::PublisherMessage message) override {
    answers += message.has_welcome() ? 0 : 1;
    last = std::move(message);
    stream_->Read();
    stream_->Write(messages_[1 + answers % (messages_.size() - 1)]);
  }
  void OnWritten() override {}
  void OnClosed(absl::Status) override { closed = true; }
  void Cancel() { stream_->Cancel(); }

  size_t answers = 0;
  v1::PublisherMessage last;
  bool closed = false;

 private:
  const std::shared_ptr<transport::FollowerStream> stream_;
  const std::vector<v1::FollowerMessage> messages_;  // the hello, and the questions in turn
};

class EndlessAskingTest : public PairTest {
 protected:
  v1::FollowerMessage Hello(uint64_t node, const filestorage::Boundary& position) {
    v1::FollowerMessage message;
    *message.mutable_hello() = replication::HelloAt(position);
    message.mutable_hello()->set_node_id(absl::StrFormat("%016d", node));
    *message.mutable_hello()->mutable_lineage() = lineage_;
    return message;
  }
  // The primary's, by an inspection.
  void LearnLineage() {
    v1::FollowerMessage hello;
    *hello.mutable_hello() = replication::HelloAt(filestorage::Boundary{});
    const auto script = Script::Start(dialer_->Dial("primary"), InTurn<v1::FollowerMessage>({hello}));
    ASSERT_TRUE(world_.RunUntil([&] { return !script->received.empty(); }));
    lineage_ = script->received[0].welcome().lineage();
    script->Cancel();
    ASSERT_TRUE(world_.RunUntil([&] { return script->closed; }));
  }
  std::shared_ptr<Script> Say(const v1::FollowerMessage& hello) {
    return Script::Start(dialer_->Dial("primary"), InTurn<v1::FollowerMessage>({hello}));
  }
  // How long a commit takes to be on the secondary.
  absl::Duration Commit() {
    file_.AddMany(1, 100);
    const absl::Duration before = world_.queue().now();
    primary_.Write(file_.bytes());
    RunUntilEqual(primary_, secondary_);
    return world_.queue().now() - before;
  }

  std::unique_ptr<transport::Dialer> dialer_ = world_.network().MakeDialer("elsewhere");
  v1::Lineage lineage_;
};

TEST_F(EndlessAskingTest, HellosOfEverNewNodesThatHangUpLeaveNothingToDo) {
  Begin();
  LearnLineage();
  primary_.HoldIo(absl::Seconds(2));
  std::deque<std::shared_ptr<Script>> scripts;
  for (uint64_t node = 0; node < 3000; ++node) {
    scripts.push_back(Say(Hello(node, file_.end())));
    world_.RunFor(absl::Microseconds(500));
    if (scripts.size() < 30) continue;
    scripts.front()->Cancel();
    scripts.pop_front();
  }
  for (const auto& script : scripts) script->Cancel();
  world_.RunFor(absl::Milliseconds(490));
  EXPECT_LT(Commit(), absl::Milliseconds(200)) << "10 ms of it until the disk is there again";
  EXPECT_EQ(primary_.Status().followers_size(), 1);
}

TEST_F(EndlessAskingTest, AmongThoseWhoNameALongTransactionThatIsNotThereAFollowerComesBackSoon) {
  file_.Add({.tid = tests::TestTid(5000), .records = {{.oid = 1, .data = std::string(2 << 20, 'x')}}});
  Begin();
  LearnLineage();
  secondary_.Stop();
  std::vector<std::shared_ptr<Script>> liars;
  for (uint64_t node = 0; node < 10; ++node) {
    filestorage::Boundary lie = file_.end();
    lie.digest.low ^= node + 1;
    liars.push_back(Say(Hello(node, lie)));
  }
  world_.RunFor(absl::Milliseconds(5));
  file_.AddMany(1, 100);
  primary_.Write(file_.bytes());
  const absl::Duration before = world_.queue().now();
  secondary_.Start();
  RunUntilEqual(primary_, secondary_);
  EXPECT_LT(world_.queue().now() - before, absl::Seconds(2));
  EXPECT_TRUE(world_.RunUntil([&] {
    for (const auto& liar : liars) {
      if (!liar->closed) return false;
    }
    return true;
  }));
  for (const auto& liar : liars) EXPECT_EQ(liar->received.back().end().reason(), v1::End::REASON_DIVERGED);
}

TEST_F(EndlessAskingTest, FourAskAtATimeAndTheNextOneLater) {
  Begin();
  LearnLineage();
  std::vector<std::shared_ptr<Script>> askers;
  const auto inspect = [&] {
    v1::FollowerMessage hello = Hello(askers.size(), filestorage::Boundary{});
    hello.mutable_hello()->set_inspect(true);
    askers.push_back(Say(hello));
    EXPECT_TRUE(world_.RunUntil([&] { return !askers.back()->received.empty(); }));
    return askers.back()->received[0];
  };
  const auto hang_up = [&](Script& asker) {
    asker.Cancel();
    EXPECT_TRUE(world_.RunUntil([&] { return asker.closed; }));
  };
  for (uint32_t n = 0; n < Publisher::kMostInspecting; ++n) EXPECT_TRUE(inspect().has_welcome());
  const v1::End refused = inspect().end();
  EXPECT_EQ(refused.reason(), v1::End::REASON_NOT_READY);
  EXPECT_THAT(refused.message(), testing::HasSubstr("is being compared with 4 others already"));
  EXPECT_LT(Commit(), absl::Milliseconds(200)) << "followers are no askers";
  hang_up(*askers.front());
  world_.RunFor(absl::Seconds(1));
  EXPECT_TRUE(inspect().has_welcome());
  for (const auto& asker : askers) hang_up(*asker);
}

TEST_F(EndlessAskingTest, QuestionsWithoutPauseAreAnsweredAtTheRate) {
  file_.Add({.tid = tests::TestTid(5000), .records = {{.oid = 1, .data = std::string(100'000, 'x')}}});
  primary_.SetInspectRate(100'000);
  Begin();
  LearnLineage();
  v1::FollowerMessage hello = Hello(1, file_.end());
  hello.mutable_hello()->set_inspect(true);
  v1::FollowerMessage digest;
  digest.mutable_digest_request()->set_begin(file_.end().last_offset);
  digest.mutable_digest_request()->set_end(file_.end().offset);
  v1::FollowerMessage transaction;
  transaction.mutable_transaction_request()->set_begin(file_.end().last_offset);
  for (const auto& question : {digest, transaction}) {
    const auto asker = Asker::Start(dialer_->Dial("primary"), {hello, question});
    EXPECT_TRUE(world_.RunUntil([&] { return asker->answers == 1; }));
    world_.RunFor(absl::Seconds(10));
    EXPECT_GE(asker->answers, 9u);
    EXPECT_LE(asker->answers, 12u) << "100 kB each, at 100 kB in a second";
    EXPECT_LT(Commit(), absl::Milliseconds(100));
    EXPECT_FALSE(asker->closed) << asker->last.DebugString();
    asker->Cancel();
    EXPECT_TRUE(world_.RunUntil([&] { return asker->closed; }));
    // The publisher has to notice: the next one is the same node.
    world_.RunFor(absl::Seconds(2));
  }
}

}  // namespace
}  // namespace zrs::storage
