// How a secondary's connection ends.
#include "sidecar/storage/secondary/upstream_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/heartbeat_message.h"
#include "tests/sidecar/replication/fixtures.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/simulated_runtime.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

// Established, and then silent: where it is deaf too no write is ever taken. Only a cancellation ends it.
class StuckStream final : public transport::FollowerStream {
 public:
  explicit StuckStream(bool deaf) : deaf_(deaf) {}

  void Start(std::shared_ptr<transport::FollowerEvents> events) override {
    events_ = std::move(events);
    events_->OnOpen();
  }
  void Write(v1::FollowerMessage) override {
    if (!deaf_) events_->OnWritten();
  }
  void Read() override {}
  void Close() override {}
  void Cancel() override {
    if (events_) std::exchange(events_, nullptr)->OnClosed(absl::CancelledError("cancelled"));
  }
  std::string peer() const override { return "stuck"; }
  transport::FollowerEvents& events() { return *events_; }

 private:
  const bool deaf_;
  std::shared_ptr<transport::FollowerEvents> events_;
};

class UpstreamConnectionTest : public testing::Test {
 protected:
  std::shared_ptr<StuckStream> Start(bool deaf) {
    UpstreamConnection::Hooks hooks;
    hooks.changed = [] {};
    hooks.closed = [this](const absl::Status& status) { closed_.emplace_back(status.message()); };
    hooks.create = [this](const replication::CreateCopy&) { connection_->OnCreated(absl::OkStatus()); };
    replication::FollowerOptions options;
    options.node_id = replication::Id('n');
    auto stream = std::make_shared<StuckStream>(deaf);
    connection_ = std::make_shared<UpstreamConnection>(runtime_, std::move(options), replication::Copy{},
                                                       absl::Seconds(1), stream, std::move(hooks));
    runtime_.Post([connection = connection_] { connection->Start(); });
    Run(1);
    return stream;
  }
  void Run(int seconds) {
    queue_.RunUntil(queue_.now() + absl::Seconds(seconds), [] { return false; });
  }

  simulation::EventQueue queue_{1};
  simulation::SimulatedRuntime runtime_{queue_, {}};
  std::shared_ptr<UpstreamConnection> connection_;
  std::vector<std::string> closed_;  // why, each time that it was told
};

TEST_F(UpstreamConnectionTest, IsTornDownWhereWhatItSaysLastIsNotTaken) {
  Start(/*deaf=*/true);
  runtime_.Post([this] { connection_->Stop(absl::Seconds(2)); });
  Run(1);
  EXPECT_THAT(closed_, testing::IsEmpty()) << "it has its grace";
  Run(2);
  EXPECT_THAT(closed_, testing::SizeIs(1));
}

TEST_F(UpstreamConnectionTest, IsGivenUpWhereNothingOfWhatItSaysIsTaken) {
  Start(/*deaf=*/true);
  Run(28);
  EXPECT_THAT(closed_, testing::IsEmpty());
  Run(2);
  EXPECT_THAT(closed_, testing::ElementsAre(testing::HasSubstr("nothing of what it is told was taken for 30s")));
}

TEST_F(UpstreamConnectionTest, IsGivenUpWhereItIsNotAnswered) {
  Start(/*deaf=*/false);
  Run(118);
  EXPECT_THAT(closed_, testing::IsEmpty());
  Run(3);
  EXPECT_THAT(closed_, testing::ElementsAre(testing::HasSubstr("nothing was heard of it for 2m")));
}

struct SilentUpstream {
  std::string what;
  bool secondary = false;
  bool heartbeat = false;  // it has passed one on, or made one
  uint64_t committed_end = 0;
  bool given_up = true;
};

class SilentUpstreamTest : public UpstreamConnectionTest, public testing::WithParamInterface<SilentUpstream> {
 protected:
  v1::PublisherMessage Welcome() const {
    v1::PublisherMessage message;
    v1::Welcome& welcome = *message.mutable_welcome();
    welcome.set_version(1);
    welcome.set_decision(v1::Welcome::DECISION_COPY);
    *welcome.mutable_lineage() = replication::FirstLineage();
    welcome.set_magic("FS30");
    *welcome.mutable_start() = replication::ToProto(tests::FileBuilder().boundaries()[0]);
    welcome.set_committed_end(GetParam().committed_end);
    welcome.set_secondary(GetParam().secondary);
    return message;
  }
  v1::PublisherMessage Heartbeat() const {
    v1::PublisherMessage message;
    *message.mutable_heartbeat() = replication::MakeHeartbeat(
        filestorage::Boundary{.offset = GetParam().committed_end, .last_offset = 0, .tid = 0, .digest = {}},
        absl::UnixEpoch(), absl::Seconds(2), replication::Id('p'));
    return message;
  }
};

// Bytes that were damaged on the way made HTTP/2 wait for others, which do not come.
TEST_P(SilentUpstreamTest, IsGivenUpWhereItOwesWord) {
  const std::shared_ptr<StuckStream> stream = Start(/*deaf=*/false);
  Run(60);
  EXPECT_THAT(closed_, testing::IsEmpty()) << "it has not answered";
  stream->events().OnMessage(Welcome());
  Run(5);
  if (GetParam().heartbeat) stream->events().OnMessage(Heartbeat());
  Run(20);
  EXPECT_THAT(closed_, testing::IsEmpty());
  Run(20);
  if (GetParam().given_up) {
    EXPECT_THAT(closed_, testing::ElementsAre(testing::HasSubstr("nothing was heard of it for 30s")));
  } else {
    EXPECT_THAT(closed_, testing::IsEmpty());
    connection_->HangUp();
    Run(1);
  }
}

TEST_P(SilentUpstreamTest, OfOneThatSaysTheSameAgainNothingNewIsHeard) {
  const std::shared_ptr<StuckStream> stream = Start(/*deaf=*/false);
  stream->events().OnMessage(Welcome());
  Run(1);
  EXPECT_FALSE(connection_->silent());
  for (int n = 0; n < 10; ++n) {
    stream->events().OnMessage(Heartbeat());
    Run(4);
  }
  EXPECT_TRUE(connection_->silent());
  EXPECT_THAT(closed_, testing::IsEmpty());
  connection_->HangUp();
  Run(1);
}

INSTANTIATE_TEST_SUITE_P(
    All, SilentUpstreamTest,
    testing::Values(
        SilentUpstream{.what = "Primary", .committed_end = 4},
        SilentUpstream{.what = "PrimaryThatSpoke", .heartbeat = true, .committed_end = 4},
        SilentUpstream{.what = "SecondaryThatHasMore", .secondary = true, .committed_end = 100},
        SilentUpstream{.what = "SecondaryThatSpoke", .secondary = true, .heartbeat = true, .committed_end = 4},
        // It may have heard of nobody either.
        SilentUpstream{.what = "SecondaryThatHasNoMore", .secondary = true, .committed_end = 4, .given_up = false}),
    [](const auto& each) { return each.param.what; });

// A packed file has arrived, and a bit more, when the stream ends.
TEST_F(UpstreamConnectionTest, EndsAfterEverythingThatItWished) {
  const tests::FileBuilder file = tests::FileBuilder().AddMany(6, 50);
  const auto& at = file.boundaries();
  std::vector<std::string> seen;
  std::shared_ptr<UpstreamConnection> connection;
  UpstreamConnection::Hooks hooks;
  hooks.changed = [] {};
  hooks.prepare = [&](const replication::PrepareRebuild&) { connection->OnCreated(absl::OkStatus()); };
  hooks.write = [&](const replication::WriteGroup& group) {
    seen.push_back(absl::StrCat("write up to ", group.commit ? group.commit->offset : 0));
  };
  // At once: the stream is over.
  hooks.prove = [&](const replication::ProveRebuild&) { connection->OnProved(absl::CancelledError("not wanted")); };
  hooks.closed = [&](const absl::Status&) { seen.emplace_back("closed"); };
  replication::Copy copy;
  copy.lineage = replication::FirstLineage();
  copy.magic = file.magic();
  copy.committed = tests::FileBuilder().AddMany(9, 90).end();
  replication::FollowerOptions options;
  options.node_id = replication::Id('n');
  const auto stream = std::make_shared<StuckStream>(/*deaf=*/false);
  connection = std::make_shared<UpstreamConnection>(runtime_, std::move(options), std::move(copy), absl::Seconds(1),
                                                    stream, std::move(hooks));
  runtime_.Post([&] { connection->Start(); });
  Run(1);
  v1::PublisherMessage message;
  v1::Welcome& welcome = *message.mutable_welcome();
  welcome.set_version(1);
  welcome.set_decision(v1::Welcome::DECISION_REBUILD);
  *welcome.mutable_lineage() = replication::FirstLineage();
  replication::AddEpoch(welcome.mutable_lineage(), 'b', v1::Epoch::ORIGIN_REPLACED, at[6]);
  welcome.set_magic("FS30");
  *welcome.mutable_start() = replication::ToProto(at[0]);
  welcome.set_committed_end(at[3].offset);
  stream->events().OnMessage(message);
  Run(1);
  stream->events().OnMessage(replication::BatchOf(file.bytes(), 4, at[3].offset, at[0]));
  Run(1);
  stream->events().OnMessage(replication::BatchOf(file.bytes(), at[3].offset, at[6].offset, at[3]));
  Run(1);
  stream->Cancel();
  Run(1);
  EXPECT_THAT(seen, testing::ElementsAre(absl::StrCat("write up to ", at[3].offset)));
  runtime_.Post([&] { connection->OnWritten(absl::OkStatus()); });
  Run(1);
  EXPECT_THAT(seen, testing::ElementsAre(testing::_, absl::StrCat("write up to ", at[6].offset)));
  runtime_.Post([&] { connection->OnWritten(absl::OkStatus()); });
  Run(1);
  EXPECT_THAT(seen, testing::ElementsAre(testing::_, testing::_, "closed"));
}

}  // namespace
}  // namespace zrs::storage
