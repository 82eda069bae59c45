// A file that was packed: how the two sessions bring the follower to the new one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "filestorage/digest.h"
#include "sidecar/replication/lineage.h"
#include "tests/sidecar/replication/drivers.h"
#include "tests/sidecar/replication/fixtures.h"

namespace zrs::replication {
namespace {

using filestorage::Boundary;
using testing::HasSubstr;

class RebuildTest : public testing::Test {
 protected:
  RebuildTest() {
    AddEpoch(&publication_.lineage, 'b', v1::Epoch::ORIGIN_REPLACED, old_.end());
    copy_ = {FirstLineage(), old_.magic(), old_.end()};
  }

  // Both sessions, up to the publisher's welcome.
  void Connect() {
    publisher_ = std::make_unique<PublisherDriver>(PublisherOptions{.batch_size = 300}, publication_);
    FollowerOptions options;
    options.node_id = Id('n');
    follower_ = std::make_unique<FollowerDriver>(options, copy_);
    follower_->Do(follower_->session.OnOpen());
    publisher_->receiving = true;
    ToPublisher();
  }
  void ToPublisher() { publisher_->Receive(follower_->Sent()); }
  void ToFollower(v1::PublisherMessage message) { follower_->Receive(std::move(message)); }

  // All that the publisher sends until it has nothing more, with a heartbeat last; written as it comes.
  void Copy() {
    publisher_->Do(publisher_->session.OnHeartbeat(HeartbeatOf(new_.end().offset, {Id('p')})));
    for (v1::PublisherMessage& message : publisher_->Run(new_.bytes())) {
      ToFollower(std::move(message));
      while (follower_->writing) Write();
    }
  }
  void Write() {
    EXPECT_FALSE(follower_->preparing);
    for (const std::string& piece : follower_->writing->pieces) written_ += piece;
    follower_->Written();
  }
  void Prepare() {
    ASSERT_TRUE(follower_->preparing);
    written_ = new_.bytes().substr(0, static_cast<size_t>(follower_->preparing->start.offset));
    follower_->preparing.reset();
    follower_->Do(follower_->session.OnCreated(absl::OkStatus()));
  }
  // The digests of both sides.
  void Prove(absl::string_view ours, const std::string& objection = "") {
    ASSERT_TRUE(follower_->proving);
    const size_t end = static_cast<size_t>(std::exchange(follower_->proving, std::nullopt)->end.offset);
    follower_->Do(
        follower_->session.OnRebuildProved(RebuildProof{filestorage::DigestOf(ours.substr(0, end)), objection}));
    if (follower_->session.end()) return;
    ToPublisher();
    ASSERT_TRUE(publisher_->digest);
    EXPECT_EQ(publisher_->digest->begin, 0);
    publisher_->Do(publisher_->session.OnDigested(filestorage::DigestOf(
        absl::string_view(new_.bytes()).substr(0, std::exchange(publisher_->digest, std::nullopt)->end))));
    ToFollower(publisher_->Sent());
  }

  tests::FileBuilder old_ = tests::FileBuilder().AddMany(5, 60);
  tests::FileBuilder new_ = tests::FileBuilder().AddMany(9, 100);
  Publication publication_ = PublicationOf(new_);
  zrs::replication::Copy copy_;
  std::unique_ptr<PublisherDriver> publisher_;
  std::unique_ptr<FollowerDriver> follower_;
  std::string written_;
};

TEST_F(RebuildTest, TheNewFileIsReceivedProvedAndSwapped) {
  Connect();
  ToFollower(publisher_->Sent());
  EXPECT_EQ(follower_->session.state(), FollowerSession::State::kRebuilding);
  EXPECT_EQ(publisher_->session.state(), PublisherSession::State::kRebuilding);
  EXPECT_EQ(follower_->preparing->size, new_.size());
  EXPECT_EQ(CurrentEpoch(follower_->preparing->lineage)->id(), Id('b'));
  Prepare();
  Copy();
  EXPECT_EQ(written_, new_.bytes());
  EXPECT_FALSE(follower_->swapping);
  Prove(written_);
  ASSERT_TRUE(follower_->swapping);
  EXPECT_EQ(follower_->swapping->end, new_.end());
  EXPECT_FALSE(follower_->sending) << "nothing is acknowledged before the new file is in place";
  follower_->swapping.reset();
  follower_->Do(follower_->session.OnSwapped(absl::OkStatus()));
  EXPECT_EQ(follower_->session.state(), FollowerSession::State::kStreaming);
  ASSERT_TRUE(follower_->sending);
  EXPECT_EQ(follower_->sending->acknowledge().durable_offset(), new_.size());
  ToPublisher();
  EXPECT_EQ(publisher_->session.state(), PublisherSession::State::kStreaming);
}

TEST_F(RebuildTest, WhatIsCommittedMeanwhileIsWrittenBehindAndSwappedWithIt) {
  Connect();
  ToFollower(publisher_->Sent());
  Prepare();
  Copy();
  ASSERT_TRUE(follower_->proving);
  new_.AddMany(1, 50);
  publisher_->Do(publisher_->session.OnCommittedEnd(new_.end()));
  for (v1::PublisherMessage& message : publisher_->Run(new_.bytes())) ToFollower(std::move(message));
  ASSERT_TRUE(follower_->writing);
  Prove(new_.bytes());
  EXPECT_FALSE(follower_->swapping) << "a write is under way";
  Write();
  ASSERT_TRUE(follower_->swapping);
  EXPECT_EQ(follower_->swapping->end, new_.end());
}

// Where it will be is known also where nothing had to be sent.
TEST_F(RebuildTest, APartThatIsTheWholeFileIsRemembered) {
  copy_.rebuild = RebuildCopy{publication_.lineage, new_.end()};
  Connect();
  publisher_->Do(publisher_->session.OnProbed(true));
  ToFollower(publisher_->Sent());
  Prepare();
  Copy();
  Prove(new_.bytes());
  follower_->swapping.reset();
  follower_->Do(follower_->session.OnSwapped(absl::OkStatus()));
  ToPublisher();
  const std::optional<KnownFollower> seen = publisher_->session.last_seen();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->marks, std::vector({MarkOf(CurrentEpoch(publication_.lineage)->id(), new_.end())}));
}

TEST_F(RebuildTest, ItGoesOnFromThePartThatIsThere) {
  copy_.rebuild = RebuildCopy{publication_.lineage, new_.boundaries()[4]};
  Connect();
  ASSERT_EQ(publisher_->probe, new_.boundaries()[4]);
  publisher_->Do(publisher_->session.OnProbed(true));
  ToFollower(publisher_->Sent());
  ASSERT_TRUE(follower_->preparing);
  EXPECT_EQ(follower_->preparing->start, new_.boundaries()[4]);
  Prepare();
  Copy();
  EXPECT_EQ(written_, new_.bytes());
}

TEST_F(RebuildTest, APartThatIsNotThePublishersIsBegunAnew) {
  copy_.rebuild = RebuildCopy{publication_.lineage, old_.boundaries()[4]};
  Connect();
  ASSERT_TRUE(publisher_->probe);
  publisher_->Do(publisher_->session.OnProbed(false));
  ToFollower(publisher_->Sent());
  ASSERT_TRUE(follower_->preparing);
  EXPECT_EQ(follower_->preparing->start, kStart);
}

TEST_F(RebuildTest, AFollowerThatLaggedIsProvedInTheOldFile) {
  copy_.committed = old_.boundaries()[2];
  Connect();
  ASSERT_TRUE(publisher_->probe_old);
  EXPECT_EQ(publisher_->probe_old->boundary, old_.boundaries()[2]);
  publisher_->Do(publisher_->session.OnOldProbed(true));
  EXPECT_EQ(publisher_->Sent().welcome().decision(), v1::Welcome::DECISION_REBUILD);
}

TEST_F(RebuildTest, AFollowerThatCannotBeProvedIsDiverged) {
  copy_.committed = old_.boundaries()[2];
  for (const absl::StatusOr<bool>& answer :
       {absl::StatusOr<bool>(false), absl::StatusOr<bool>(absl::DataLossError("x"))}) {
    Connect();
    publisher_->Do(publisher_->session.OnOldProbed(answer));
    EXPECT_EQ(publisher_->Sent().end().reason(), v1::End::REASON_DIVERGED);
    EXPECT_TRUE(publisher_->session.source_error().ok()) << "the present file is sound";
  }
}

TEST_F(RebuildTest, AnotherDigestThrowsTheNewFileAway) {
  Connect();
  ToFollower(publisher_->Sent());
  Prepare();
  Copy();
  std::string damaged = written_;
  damaged[100] ^= 1;
  Prove(damaged);
  EXPECT_FALSE(follower_->swapping);
  EXPECT_TRUE(follower_->session.rebuild_refuted());
  ASSERT_TRUE(follower_->session.end());
  EXPECT_THAT(follower_->session.end()->message, HasSubstr("fetched again"));
}

TEST_F(RebuildTest, AFileThatIsNoPackHereIsDivergedAndNothingIsSwapped) {
  Connect();
  ToFollower(publisher_->Sent());
  Prepare();
  Copy();
  Prove(written_, "it lacks transaction 7");
  ASSERT_TRUE(follower_->session.end());
  EXPECT_EQ(follower_->session.end()->reason, v1::End::REASON_DIVERGED);
  EXPECT_THAT(follower_->session.end()->message, HasSubstr("it lacks transaction 7"));
  EXPECT_FALSE(follower_->session.rebuild_refuted());
  EXPECT_FALSE(follower_->swapping);
}

TEST_F(RebuildTest, ASwapThatFailedEndsTheStream) {
  Connect();
  ToFollower(publisher_->Sent());
  Prepare();
  Copy();
  Prove(written_);
  follower_->Do(follower_->session.OnSwapped(absl::ResourceExhaustedError("disk full")));
  ASSERT_TRUE(follower_->session.end());
  EXPECT_EQ(follower_->session.end()->reason, v1::End::REASON_FOLLOWER_FAILED);
  EXPECT_TRUE(follower_->session.rebuilding());
}

TEST_F(RebuildTest, ADigestThatWasNotAskedForIsAProtocolError) {
  Connect();
  ToFollower(publisher_->Sent());
  Prepare();
  v1::PublisherMessage message;
  message.mutable_range_digest()->set_end(4);
  ToFollower(message);
  ASSERT_TRUE(follower_->session.end());
  EXPECT_EQ(follower_->session.end()->reason, v1::End::REASON_PROTOCOL);
}

TEST_F(RebuildTest, ADigestOfMoreThanWasSentAndASecondOneAreProtocolErrors) {
  for (const bool second : {false, true}) {
    Connect();
    v1::FollowerMessage message;
    message.mutable_digest_request()->set_end(second ? 4 : 5);
    publisher_->Receive(message);
    if (second) publisher_->Receive(message);
    publisher_->Sent();  // the welcome
    EXPECT_EQ(publisher_->Sent().end().reason(), v1::End::REASON_PROTOCOL) << second;
  }
}

TEST_F(RebuildTest, NoByteIsDigestedTwice) {
  Connect();
  publisher_->Sent();  // the welcome
  v1::FollowerMessage message;
  message.mutable_digest_request()->set_end(4);
  publisher_->Receive(message);
  ASSERT_TRUE(publisher_->digest);
  publisher_->Do(publisher_->session.OnDigested(filestorage::DigestOf("bytes")));
  EXPECT_TRUE(publisher_->Sent().has_range_digest());
  publisher_->digest.reset();
  message.mutable_digest_request()->set_begin(3);
  publisher_->Receive(message);
  EXPECT_FALSE(publisher_->digest);
  const v1::End end = publisher_->Sent().end();
  EXPECT_EQ(end.reason(), v1::End::REASON_PROTOCOL);
  EXPECT_NE(end.message().find("digests of 5 bytes in all, though only 4 were sent"), std::string::npos)
      << end.message();
}

}  // namespace
}  // namespace zrs::replication
