#include "sidecar/replication/publisher_session.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "filestorage/digest.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/known_followers.h"
#include "sidecar/replication/lineage.h"
#include "tests/sidecar/replication/drivers.h"
#include "tests/sidecar/replication/fixtures.h"
#include "tests/sidecar/replication/publisher_session_fixture.h"

namespace zrs::replication {
namespace {

using filestorage::Boundary;

TEST_F(PublisherSessionTest, FirstCopySendsTheWholeFileBehindTheMagic) {
  PublisherDriver& driver = Serve({});
  EXPECT_EQ(driver.session.state(), PublisherSession::State::kCopying);
  EXPECT_EQ(driver.session.node_id(), Id('n'));
  const std::vector<v1::PublisherMessage> sent = driver.Run(file_.bytes());
  ASSERT_TRUE(sent[0].has_welcome());
  EXPECT_EQ(sent[0].welcome().decision(), v1::Welcome::DECISION_COPY);
  EXPECT_EQ(sent[0].welcome().version(), kProtocolVersion);
  EXPECT_EQ(sent[0].welcome().magic(), "FS30");
  EXPECT_EQ(sent[0].welcome().committed_end(), file_.size());
  EXPECT_EQ(sent[0].welcome().lineage().database_id(), Id('d'));
  EXPECT_EQ(*FromProto(sent[0].welcome().start()), At(0));
  std::string bytes = "FS30";
  for (size_t i = 1; i < sent.size(); ++i) {
    ASSERT_TRUE(sent[i].has_batch());
    const v1::Batch& batch = sent[i].batch();
    EXPECT_EQ(batch.offset(), bytes.size());
    EXPECT_LE(batch.data().size(), 200u);
    EXPECT_EQ(batch.digest(), filestorage::DigestOf(batch.data()).ToBytes());
    bytes += batch.data();
  }
  EXPECT_EQ(bytes, file_.bytes());
  EXPECT_EQ(driver.session.state(), PublisherSession::State::kStreaming);
  EXPECT_EQ(driver.session.sent_offset(), file_.size());
}

TEST_F(PublisherSessionTest, EachBatchNamesTheTransactionBeforeIt) {
  const std::vector<v1::PublisherMessage> sent = Serve({}).Run(file_.bytes());
  for (size_t i = 1; i < sent.size(); ++i) {
    Boundary before = At(0);
    for (const Boundary& boundary : file_.boundaries()) {
      if (boundary.offset <= sent[i].batch().offset()) before = boundary;
    }
    EXPECT_EQ(*FromProto(sent[i].batch().predecessor()), before) << i;
  }
}

TEST_F(PublisherSessionTest, ResumesBehindTheProvedPosition) {
  PublisherDriver& driver = Serve(At(7));
  EXPECT_EQ(*driver.probe, At(7));
  EXPECT_EQ(driver.session.acknowledged_offset(), At(7).offset);
  const std::vector<v1::PublisherMessage> sent = driver.Run(file_.bytes());
  EXPECT_EQ(sent[0].welcome().decision(), v1::Welcome::DECISION_RESUME);
  EXPECT_EQ(*FromProto(sent[0].welcome().start()), At(7));
  EXPECT_EQ(sent[1].batch().offset(), At(7).offset);
  EXPECT_EQ(sent.back().batch().offset() + sent.back().batch().data().size(), file_.size());
}

TEST_F(PublisherSessionTest, NothingIsSentBeforeTheProbe) {
  driver_.emplace(PublisherOptions{}, PublicationOf(file_));
  driver_->Receive(HelloMessage(At(7)));
  EXPECT_FALSE(driver_->sending.has_value());
  EXPECT_FALSE(driver_->receiving);
  EXPECT_TRUE(driver_->reads.empty());
  EXPECT_EQ(driver_->session.state(), PublisherSession::State::kHandshake);
}

TEST_F(PublisherSessionTest, PositionThatTheProbeDoesNotFindIsDiverged) {
  driver_.emplace(PublisherOptions{}, PublicationOf(file_));
  driver_->Receive(HelloMessage(At(7)));
  driver_->Do(driver_->session.OnProbed(false));
  ExpectEnd(*driver_, v1::End::REASON_DIVERGED, DescribePosition(At(7)));
  EXPECT_TRUE(driver_->session.source_error().ok());
}

TEST_F(PublisherSessionTest, FailedProbeIsAFailedSource) {
  driver_.emplace(PublisherOptions{}, PublicationOf(file_));
  driver_->Receive(HelloMessage(At(7)));
  driver_->Do(driver_->session.OnProbed(absl::UnavailableError("disk gone")));
  ExpectEnd(*driver_, v1::End::REASON_SOURCE_FAILED, "disk gone");
  EXPECT_EQ(driver_->session.source_error().code(), absl::StatusCode::kUnavailable);
}

TEST_F(PublisherSessionTest, RefusalIsSentAndTheStreamClosed) {
  v1::FollowerMessage hello = HelloMessage(At(7));
  hello.mutable_hello()->mutable_lineage()->set_database_id(Id('e'));
  driver_.emplace(PublisherOptions{}, PublicationOf(file_));
  driver_->Receive(hello);
  EXPECT_FALSE(driver_->closed);
  ExpectEnd(*driver_, v1::End::REASON_OTHER_DATABASE);
}

TEST_F(PublisherSessionTest, MalformedHelloIsAProtocolError) {
  v1::FollowerMessage hello = HelloMessage(At(7));
  hello.mutable_hello()->set_node_id("short");
  driver_.emplace(PublisherOptions{}, PublicationOf(file_));
  driver_->Receive(hello);
  ExpectEnd(*driver_, v1::End::REASON_PROTOCOL, "node id");
  EXPECT_EQ(driver_->session.node_id(), "");
}

TEST_F(PublisherSessionTest, FirstMessageOtherThanHelloIsAProtocolError) {
  for (const v1::FollowerMessage& message : {Acknowledgement(4), v1::FollowerMessage()}) {
    driver_.emplace(PublisherOptions{}, PublicationOf(file_));
    driver_->Receive(message);
    ExpectEnd(*driver_, v1::End::REASON_PROTOCOL, "first message");
  }
}

TEST_F(PublisherSessionTest, SecondHelloIsAProtocolError) {
  PublisherDriver& driver = ServeIdle();
  driver.Receive(HelloMessage(At(7)));
  ExpectEnd(driver, v1::End::REASON_PROTOCOL, "second hello");
}

TEST_F(PublisherSessionTest, MessageOfUnknownKindIsAProtocolError) {
  PublisherDriver& driver = ServeIdle();
  driver.Receive({});
  ExpectEnd(driver, v1::End::REASON_PROTOCOL, "unknown kind");
}

TEST_F(PublisherSessionTest, AcknowledgementThatGoesBackIsAProtocolError) {
  PublisherDriver& driver = ServeIdle();
  driver.Receive(Acknowledgement(At(19).offset));
  ExpectEnd(driver, v1::End::REASON_PROTOCOL, "went back");
}

TEST_F(PublisherSessionTest, AcknowledgementOfWhatWasNotSentIsAProtocolError) {
  PublisherDriver& driver = Serve(At(7));
  driver.Receive(Acknowledgement(At(7).offset + 1));
  ExpectEnd(driver, v1::End::REASON_PROTOCOL, "was sent");
}

TEST_F(PublisherSessionTest, NoMoreIsOnTheWayThanTheFollowerHasRoomFor) {
  PublisherDriver& driver = Serve(file_.boundaries()[0], {.batch_size = 200, .most_on_the_way = 500});
  driver.Run(file_.bytes());
  EXPECT_EQ(driver.session.sent_offset(), 4 + 600u);  // the last of them begins within the window
  driver.Do(driver.session.OnHeartbeat(HeartbeatOf(file_.end().offset, {Id('p')})));
  const std::vector<v1::PublisherMessage> sent = driver.Run(file_.bytes());
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_TRUE(sent[0].has_heartbeat()) << "heartbeats pass";
  v1::FollowerMessage received = Acknowledgement(4);
  received.mutable_acknowledge()->set_received_offset(4 + 200);
  driver.Receive(received);
  driver.Run(file_.bytes());
  EXPECT_EQ(driver.session.sent_offset(), 4 + 800u);
  EXPECT_EQ(driver.session.acknowledged_offset(), 4u);
  // What is durable was received, and nothing takes that back.
  driver.Receive(Acknowledgement(At(3).offset));
  driver.Run(file_.bytes());
  EXPECT_GE(driver.session.sent_offset(), At(3).offset + 500);
}

TEST_F(PublisherSessionTest, ReceiptOfWhatWasNotSentIsAProtocolError) {
  PublisherDriver& driver = Serve(At(7));
  v1::FollowerMessage received = Acknowledgement(At(7).offset);
  received.mutable_acknowledge()->set_received_offset(At(7).offset + 1);
  driver.Receive(received);
  ExpectEnd(driver, v1::End::REASON_PROTOCOL, "was sent");
}

TEST_F(PublisherSessionTest, AcknowledgementsMoveTheFollower) {
  PublisherDriver& driver = Serve({});
  EXPECT_EQ(driver.session.acknowledged_offset(), 0u);
  driver.Run(file_.bytes());
  EXPECT_EQ(driver.session.oldest_unacknowledged(), At(1).tid);
  driver.Receive(Acknowledgement(4));
  driver.Receive(Acknowledgement(At(3).offset));
  EXPECT_EQ(driver.session.acknowledged_offset(), At(3).offset);
  EXPECT_EQ(driver.session.oldest_unacknowledged(), At(4).tid);
  driver.Receive(Acknowledgement(file_.size()));
  EXPECT_EQ(driver.session.oldest_unacknowledged(), 0u);
  EXPECT_TRUE(driver.receiving);
}

std::vector<filestorage::Digest> Marks(const std::vector<filestorage::Boundary>& boundaries) {
  std::vector<filestorage::Digest> marks;
  for (const auto& boundary : boundaries) marks.push_back(MarkOf(CurrentEpoch(FirstLineage())->id(), boundary));
  return marks;
}

TEST_F(PublisherSessionTest, AFollowerMayBeWhereItWasProved) {
  PublisherDriver& driver = Serve(At(7));
  ASSERT_TRUE(driver.session.last_seen());
  EXPECT_EQ(driver.session.last_seen()->marks, Marks({At(7)}));
  EXPECT_EQ(driver.session.last_seen()->node_id, driver.session.node_id());
}

TEST_F(PublisherSessionTest, AFollowerMayBeAtEachEndOfWhatWasSentSinceItAcknowledged) {
  PublisherDriver& driver = Serve(At(17), {.batch_size = At(18).offset - At(17).offset, .read_ahead = 2});
  driver.Run(file_.bytes());
  const std::vector<filestorage::Digest> before = driver.session.last_seen()->marks;
  EXPECT_EQ(before.front(), Marks({At(17)}).front());
  EXPECT_EQ(before.back(), Marks({At(20)}).front());
  driver.Receive(Acknowledgement(file_.size()));
  EXPECT_EQ(driver.session.last_seen()->marks, Marks({At(20)}));
}

TEST_F(PublisherSessionTest, WhoOnlyLooksGetsTheWelcomeAndNothingElse) {
  v1::FollowerMessage hello = HelloMessage(At(7));
  hello.mutable_hello()->set_look(true);
  Publication publication = PublicationOf(file_);
  publication.secondary = true;
  publication.unheard = true;
  publication.yields = true;
  driver_.emplace(PublisherOptions{}, publication);
  driver_->Receive(hello);
  driver_->Do(driver_->session.OnProbed(true));
  EXPECT_TRUE(driver_->session.looks());
  EXPECT_EQ(driver_->session.state(), PublisherSession::State::kEnding);
  driver_->Do(driver_->session.OnHeartbeat(v1::Heartbeat()));
  driver_->Do(driver_->session.OnCommittedEnd(file_.end()));
  const std::vector<v1::PublisherMessage> sent = driver_->Run(file_.bytes());
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].welcome().decision(), v1::Welcome::DECISION_RESUME);
  EXPECT_TRUE(sent[0].welcome().secondary());
  EXPECT_TRUE(sent[0].welcome().unheard());
  EXPECT_TRUE(sent[0].welcome().yields());
  EXPECT_TRUE(driver_->closed);
  EXPECT_FALSE(driver_->session.own_end());
  EXPECT_FALSE(driver_->session.last_seen()) << "its follower is elsewhere";
}

TEST_F(PublisherSessionTest, WhoOnlyLooksIsRefusedAsAFollowerIs) {
  v1::FollowerMessage hello = HelloMessage(tests::FileBuilder().AddMany(30, 70).end());
  hello.mutable_hello()->set_look(true);
  Publication publication = PublicationOf(file_);
  publication.secondary = true;
  driver_.emplace(PublisherOptions{}, publication);
  driver_->Receive(hello);
  const std::vector<v1::PublisherMessage> sent = driver_->Run(file_.bytes());
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].end().reason(), v1::End::REASON_DIVERGED);
  EXPECT_TRUE(sent[0].end().secondary());
  EXPECT_TRUE(driver_->closed);
}

TEST_F(PublisherSessionTest, AFollowerThatWasNotLetInIsNowhere) {
  EXPECT_FALSE(Serve(tests::FileBuilder().AddMany(30, 70).end()).session.last_seen());
  EXPECT_FALSE(Serve({}).session.last_seen()) << "it has no transaction yet";
}

TEST_F(PublisherSessionTest, WhatWasReadButNotSentIsNotOldest) {
  PublisherDriver& driver = Serve(At(7));
  const ReadBytes read = driver.reads.front();
  driver.reads.pop_front();
  driver.Do(driver.session.OnBytes(read.offset, file_.bytes().substr(read.offset, read.size)));
  EXPECT_EQ(driver.session.oldest_unacknowledged(), 0u);
  driver.Sent();  // the welcome; the batch goes
  EXPECT_EQ(driver.session.oldest_unacknowledged(), At(8).tid);
}

TEST_F(PublisherSessionTest, ReadsNoFurtherAheadThanAllowed) {
  PublisherDriver& driver = Serve({}, {.batch_size = 100, .read_ahead = 3});
  ASSERT_EQ(driver.reads.size(), 3u);
  EXPECT_EQ(driver.reads[2].offset, 204u);
  EXPECT_EQ(driver.reads[2].size, 100u);
  while (!driver.reads.empty()) {
    const ReadBytes read = driver.reads.front();
    driver.reads.pop_front();
    driver.Do(driver.session.OnBytes(read.offset, file_.bytes().substr(read.offset, read.size)));
  }
  EXPECT_TRUE(driver.reads.empty()) << "the stream has taken nothing yet";
  EXPECT_TRUE(driver.Sent().has_welcome());
  EXPECT_EQ(driver.reads.size(), 1u);
}

TEST_F(PublisherSessionTest, ReadsAnsweredOutOfOrderAreSentInOrder) {
  PublisherDriver& driver = Serve({}, {.batch_size = 100, .read_ahead = 2});
  const ReadBytes first = driver.reads[0];
  const ReadBytes second = driver.reads[1];
  driver.reads.clear();
  driver.Do(driver.session.OnBytes(second.offset, file_.bytes().substr(second.offset, second.size)));
  driver.Do(driver.session.OnBytes(first.offset, file_.bytes().substr(first.offset, first.size)));
  driver.Sent();
  EXPECT_EQ(driver.Sent().batch().offset(), first.offset);
  EXPECT_EQ(driver.Sent().batch().offset(), second.offset);
}

TEST_F(PublisherSessionTest, NewCommitIsReadAndSentAtOnce) {
  PublisherDriver& driver = ServeIdle();
  const uint64_t before = file_.size();
  file_.AddMany(1, 10);
  driver.Do(driver.session.OnCommittedEnd(file_.end()));
  ASSERT_EQ(driver.reads.size(), 1u);
  EXPECT_EQ(driver.reads[0].offset, before);
  EXPECT_EQ(driver.reads[0].size, file_.size() - before);
  EXPECT_EQ(driver.Run(file_.bytes()).at(0).batch().data(), file_.transaction(21));
}

TEST_F(PublisherSessionTest, HeartbeatsWaitForTheWelcome) {
  driver_.emplace(PublisherOptions{}, PublicationOf(file_));
  driver_->Do(driver_->session.OnHeartbeat(HeartbeatOf(100, {Id('p')})));
  EXPECT_FALSE(driver_->sending.has_value());
  driver_->Receive(HelloMessage(file_.end()));
  driver_->Do(driver_->session.OnProbed(true));
  EXPECT_TRUE(driver_->Sent().has_welcome());
  EXPECT_EQ(driver_->Sent().heartbeat().committed_end(), 100u);
}

TEST_F(PublisherSessionTest, OnlyTheNewestHeartbeatIsKept) {
  PublisherDriver& driver = ServeIdle();
  for (uint64_t end : {100, 200, 300, 400}) driver.Do(driver.session.OnHeartbeat(HeartbeatOf(end, {Id('p')})));
  const std::vector<v1::PublisherMessage> sent = driver.Run(file_.bytes());
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].heartbeat().committed_end(), 100u);
  EXPECT_EQ(sent[1].heartbeat().committed_end(), 400u);
}

TEST_F(PublisherSessionTest, BatchGoesBeforeTheHeartbeatOfTheSameCommit) {
  PublisherDriver& driver = ServeIdle();
  file_.AddMany(1, 10);
  driver.Do(driver.session.OnCommittedEnd(file_.end()));
  driver.Do(driver.session.OnHeartbeat(HeartbeatOf(file_.size(), {Id('p')})));
  const std::vector<v1::PublisherMessage> sent = driver.Run(file_.bytes());
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_TRUE(sent[0].has_batch());
  EXPECT_TRUE(sent[1].has_heartbeat());
}

TEST_F(PublisherSessionTest, BatchesCountFromTheMomentThatAHeartbeatWaits) {
  file_.AddMany(60, 50);
  PublisherDriver& driver = Serve({}, {.batch_size = 50, .read_ahead = 2});
  const auto next = [this, &driver] {
    while (!driver.reads.empty()) {
      const ReadBytes read = driver.reads.front();
      driver.reads.pop_front();
      driver.Do(driver.session.OnBytes(read.offset, file_.bytes().substr(read.offset, read.size)));
    }
    return driver.Sent();
  };
  for (uint32_t i = 0; i < 3 * PublisherSession::kBatchesPerHeartbeat; ++i) next();
  driver.Do(driver.session.OnHeartbeat(HeartbeatOf(file_.size(), {Id('p')})));
  EXPECT_TRUE(next().has_batch()) << "was being sent already";
  for (uint32_t i = 0; i < PublisherSession::kBatchesPerHeartbeat; ++i) EXPECT_TRUE(next().has_batch()) << i;
  EXPECT_TRUE(next().has_heartbeat());
}

TEST_F(PublisherSessionTest, HeartbeatGoesAfterSixteenBatches) {
  PublisherDriver& driver = Serve({}, {.batch_size = 50, .read_ahead = 2});
  driver.Do(driver.session.OnHeartbeat(HeartbeatOf(file_.size(), {Id('p')})));
  const std::vector<v1::PublisherMessage> sent = driver.Run(file_.bytes());
  ASSERT_GT(sent.size(), 40u);
  for (size_t i = 1; i < sent.size(); ++i) {
    EXPECT_EQ(sent[i].has_heartbeat(), i == 1 + PublisherSession::kBatchesPerHeartbeat) << i;
  }
}

}  // namespace
}  // namespace zrs::replication
