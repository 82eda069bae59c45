#include "sidecar/replication/follower_session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/replication/lineage.h"
#include "tests/sidecar/replication/drivers.h"
#include "tests/sidecar/replication/fixtures.h"
#include "tests/sidecar/replication/follower_session_fixture.h"

namespace zrs::replication {
namespace {

TEST_F(FollowerSessionTest, HelloSaysWhatIsThere) {
  options_.storage = "main";
  options_.follower_name = "copy";
  options_.software = "1.0";
  FollowerDriver& driver = Open({FirstLineage(), file_.magic(), At(7)});
  EXPECT_EQ(hello_.lowest_version(), 1u);
  EXPECT_EQ(hello_.highest_version(), 1u);
  EXPECT_EQ(hello_.storage(), "main");
  EXPECT_EQ(hello_.follower_name(), "copy");
  EXPECT_EQ(hello_.software(), "1.0");
  EXPECT_EQ(hello_.node_id(), Id('n'));
  EXPECT_EQ(hello_.lineage().database_id(), Id('d'));
  EXPECT_EQ(*FromProto(hello_.position()), At(7));
  EXPECT_TRUE(driver.receiving);
  EXPECT_EQ(driver.session.state(), FollowerSession::State::kHandshake);
}

TEST_F(FollowerSessionTest, FirstCopyCreatesTheFileBeforeItWrites) {
  upstream_end_ = At(2).offset;
  FollowerDriver& driver = Open({});
  EXPECT_EQ(hello_.position().offset(), 0u);
  driver.Receive(Welcome(v1::Welcome::DECISION_COPY, At(0)));
  ASSERT_TRUE(driver.creating.has_value());
  EXPECT_EQ(driver.creating->lineage.database_id(), Id('d'));
  EXPECT_EQ(driver.creating->magic, filestorage::Magic::kFs30);
  EXPECT_EQ(driver.session.state(), FollowerSession::State::kCopying);
  EXPECT_EQ(driver.session.lineage().database_id(), Id('d'));
  ReceiveUntil(At(2).offset);
  EXPECT_FALSE(driver.writing.has_value());
  EXPECT_EQ(driver.session.durable().offset, 0u);
  driver.creating.reset();
  driver.Do(driver.session.OnCreated(absl::OkStatus()));
  EXPECT_EQ(driver.Sent().acknowledge().durable_offset(), 4u);
  EXPECT_EQ(driver.session.oldest_not_durable(), At(1).tid);
  EXPECT_EQ(driver.Written().commit, At(2));
  EXPECT_EQ(driver.session.start_offset(), 4u);
}

TEST_F(FollowerSessionTest, FirstCopyIsToldThePrimarysPermissions) {
  for (const auto& [told, expected] : std::vector<std::pair<uint32_t, std::optional<uint32_t>>>{
           {0, std::nullopt}, {0640, 0640}, {0444, 0644}, {07777, 0777}, {04000, std::nullopt}}) {
    FollowerDriver& driver = Open({});
    v1::PublisherMessage welcome = Welcome(v1::Welcome::DECISION_COPY, At(0));
    welcome.mutable_welcome()->set_file_mode(told);
    driver.Receive(welcome);
    ASSERT_TRUE(driver.creating.has_value());
    EXPECT_EQ(driver.creating->file_mode, expected) << told;
  }
}

TEST_F(FollowerSessionTest, ALaterEpochIsDurableBeforeAnythingOfItIsWritten) {
  upstream_end_ = At(9).offset;
  FollowerDriver& driver = Open({FirstLineage(), file_.magic(), At(7)});
  v1::PublisherMessage welcome = Welcome(v1::Welcome::DECISION_RESUME, At(7));
  AddEpoch(welcome.mutable_welcome()->mutable_lineage(), 'b', v1::Epoch::ORIGIN_FORKED, At(8));
  driver.Receive(welcome);
  ASSERT_TRUE(driver.adopting);
  EXPECT_EQ(CurrentEpoch(driver.adopting->lineage)->id(), Id('b'));
  ReceiveUntil(At(9).offset);
  EXPECT_FALSE(driver.writing);
  driver.adopting.reset();
  driver.Do(driver.session.OnCreated(absl::OkStatus()));
  EXPECT_EQ(driver.Sent().acknowledge().durable_offset(), At(7).offset) << "the position is what it was";
  EXPECT_EQ(driver.Written().commit, At(9));
}

TEST_F(FollowerSessionTest, ALaterEpochThatCannotBeRememberedEndsTheStream) {
  upstream_end_ = file_.size();
  FollowerDriver& driver = Open({FirstLineage(), file_.magic(), At(7)});
  v1::PublisherMessage welcome = Welcome(v1::Welcome::DECISION_RESUME, At(7));
  AddEpoch(welcome.mutable_welcome()->mutable_lineage(), 'b', v1::Epoch::ORIGIN_FORKED, At(8));
  driver.Receive(welcome);
  driver.adopting.reset();
  driver.Do(driver.session.OnCreated(absl::ResourceExhaustedError("no room")));
  ExpectEnd(v1::End::REASON_FOLLOWER_FAILED, "remembering the epoch");
}

TEST_F(FollowerSessionTest, KeepAliveRepeatsTheAcknowledgement) {
  FollowerDriver& driver = Resume(7);
  for (int i = 0; i < 2; ++i) {
    driver.Do(driver.session.OnKeepAlive());
    EXPECT_EQ(driver.Sent().acknowledge().durable_offset(), At(7).offset);
  }
}

TEST_F(FollowerSessionTest, KeepAliveIsNothingBeforeTheWelcomeAndAfterTheEnd) {
  FollowerDriver& driver = Open({FirstLineage(), file_.magic(), At(7)});
  EXPECT_TRUE(driver.session.OnKeepAlive().empty());
  driver.Do(driver.session.OnStop());
  EXPECT_TRUE(driver.Sent().has_end());
  EXPECT_TRUE(driver.session.OnKeepAlive().empty());
}

TEST_F(FollowerSessionTest, FailedCreationEndsTheStream) {
  FollowerDriver& driver = Open({});
  driver.Receive(Welcome(v1::Welcome::DECISION_COPY, At(0)));
  driver.creating.reset();
  driver.Do(driver.session.OnCreated(absl::PermissionDeniedError("not there")));
  ExpectEnd(v1::End::REASON_FOLLOWER_FAILED, "not there");
  EXPECT_EQ(driver.session.durable().offset, 0u);
}

TEST_F(FollowerSessionTest, RefusesAMalformedWelcome) {
  FollowerDriver& driver = Open({FirstLineage(), file_.magic(), At(7)});
  driver.Receive(Welcome(v1::Welcome::DECISION_COPY, At(0)));
  ExpectEnd(v1::End::REASON_PROTOCOL, "there is a file here");
}

TEST_F(FollowerSessionTest, RefusesAnotherDatabase) {
  upstream_end_ = file_.size();
  FollowerDriver& driver = Open({FirstLineage('e', 'a'), file_.magic(), At(7)});
  driver.Receive(Welcome(v1::Welcome::DECISION_RESUME, At(7)));
  ExpectEnd(v1::End::REASON_OTHER_DATABASE);
}

// A primary that still looks through its file has no heartbeat, and tells in its welcome what it has seen so far.
TEST_F(FollowerSessionTest, StreamsOnceItHadAllThatAHeartbeatTells) {
  using State = FollowerSession::State;
  upstream_end_ = At(8).offset;
  FollowerDriver& driver = Resume(7);
  ReceiveUntil(At(8).offset);
  driver.Written();
  EXPECT_EQ(driver.session.state(), State::kCopying);
  v1::PublisherMessage message;
  *message.mutable_heartbeat() = HeartbeatOf(At(10).offset, {Id('p')});
  driver.Receive(message);
  EXPECT_EQ(driver.session.state(), State::kCopying);
  ReceiveUntil(At(10).offset);
  EXPECT_EQ(driver.session.state(), State::kCopying);
  driver.Written();
  EXPECT_EQ(driver.session.state(), State::kStreaming);
  // From then on being behind is a lag.
  *message.mutable_heartbeat() = HeartbeatOf(At(12).offset, {Id('p')});
  driver.Receive(message);
  EXPECT_EQ(driver.session.state(), State::kStreaming);
}

TEST_F(FollowerSessionTest, LiveTransactionIsCommittedAndAcknowledgedAtOnce) {
  FollowerDriver& driver = Resume(7);
  ReceiveUntil(At(8).offset);
  EXPECT_EQ(driver.session.oldest_not_durable(), At(8).tid);
  EXPECT_TRUE(driver.receiving);
  const WriteGroup group = driver.Written();
  ASSERT_EQ(group.pieces.size(), 1u);
  EXPECT_EQ(group.pieces[0], file_.transaction(8));
  EXPECT_EQ(group.commit, At(8));
  EXPECT_EQ(driver.session.durable(), At(8));
  EXPECT_EQ(driver.session.oldest_not_durable(), 0u);
  const v1::FollowerMessage acknowledge = driver.Sent();
  EXPECT_EQ(acknowledge.acknowledge().durable_offset(), At(8).offset);
}

TEST_F(FollowerSessionTest, AcknowledgementsAreMerged) {
  FollowerDriver& driver = Resume(7);
  for (size_t i = 8; i <= 11; ++i) {
    ReceiveUntil(At(i).offset);
    driver.Written();
  }
  EXPECT_EQ(driver.Sent().acknowledge().durable_offset(), At(8).offset);
  EXPECT_EQ(driver.Sent().acknowledge().durable_offset(), At(11).offset);
  EXPECT_FALSE(driver.sending.has_value());
}

TEST_F(FollowerSessionTest, ThePublisherIsToldWhatWasReceivedBeforeItIsDurable) {
  options_.tell_after = 300;
  FollowerDriver& driver = Resume(3);
  ReceiveUntil(At(3).offset + 299);
  EXPECT_FALSE(driver.sending.has_value());
  ReceiveUntil(At(3).offset + 400);
  const v1::Acknowledge told = driver.Sent().acknowledge();
  EXPECT_EQ(told.durable_offset(), At(3).offset);
  EXPECT_EQ(told.received_offset(), At(3).offset + 400);
  ReceiveUntil(At(3).offset + 600);
  EXPECT_FALSE(driver.sending.has_value());
}

TEST_F(FollowerSessionTest, WhatArrivesDuringAWriteIsTheNextGroup) {
  FollowerDriver& driver = Resume(7);
  ReceiveUntil(At(8).offset);
  ReceiveUntil(At(9).offset);
  ReceiveUntil(At(11).offset + 30);
  EXPECT_EQ(driver.Written().commit, At(8));
  const WriteGroup group = driver.Written();
  EXPECT_EQ(group.commit, At(11));
  EXPECT_EQ(group.following, file_.bytes().substr(At(11).offset, 23));
}

TEST_F(FollowerSessionTest, BulkCopyMakesLargerGroups) {
  upstream_end_ = file_.size();
  ASSERT_GT(file_.size(), At(4).offset + options_.queue_limit / 4);
  FollowerDriver& driver = Resume(0);
  ReceiveUntil(At(2).offset);
  EXPECT_EQ(driver.session.state(), FollowerSession::State::kCopying);
  ReceiveUntil(At(4).offset);
  EXPECT_FALSE(driver.Written().commit.has_value());
  EXPECT_FALSE(driver.Written().commit.has_value());
  const WriteGroup group = driver.Written();  // nothing more has arrived
  EXPECT_TRUE(group.pieces.empty());
  EXPECT_EQ(group.commit, At(4));
}

TEST_F(FollowerSessionTest, LargeTransactionIsWrittenInPiecesAndCommittedAtItsEnd) {
  file_.Add({.tid = At(20).tid + 1, .records = {{.oid = 1, .data = std::string(9000, 'x')}}});
  FollowerDriver& driver = Resume(20);
  std::string written;
  while (driver.session.received_offset() < file_.size()) {
    ReceiveUntil(std::min(driver.session.received_offset() + 1000, file_.size()));
    EXPECT_LT(driver.session.queued_bytes(), 2000u);
    EXPECT_EQ(driver.session.oldest_not_durable(), At(21).tid);
    if (!driver.writing) continue;
    const WriteGroup group = driver.Written();
    for (const std::string& piece : group.pieces) written += piece;
    EXPECT_EQ(group.commit.has_value(), written.size() == file_.transaction(21).size());
  }
  EXPECT_EQ(written, file_.transaction(21));
  EXPECT_EQ(driver.session.durable(), At(21));
}

TEST_F(FollowerSessionTest, ReceivesNothingWhileTheQueueIsFull) {
  file_.AddMany(60, 50);
  FollowerDriver& driver = Resume(7);
  ReceiveUntil(At(8).offset);  // is being written, and takes its time
  while (driver.receiving) ReceiveUntil(driver.session.received_offset() + 700);
  EXPECT_GE(driver.session.queued_bytes(), options_.queue_limit);
  EXPECT_LT(driver.session.queued_bytes(), options_.queue_limit + 700);
  driver.Written();
  EXPECT_TRUE(driver.receiving);
}

TEST_F(FollowerSessionTest, HeartbeatsMoveTheUpstreamEndForwardOnly) {
  FollowerDriver& driver = Resume(7);
  v1::PublisherMessage message;
  for (uint64_t end : {At(9).offset, At(8).offset, At(6).offset}) {
    *message.mutable_heartbeat() = HeartbeatOf(end, {Id('p'), Id('q')});
    driver.Receive(message);
    EXPECT_EQ(driver.session.heartbeat()->committed_end(), end);
    EXPECT_EQ(driver.session.upstream_end(), At(9).offset);
  }
  EXPECT_TRUE(driver.receiving);
  EXPECT_FALSE(driver.session.end().has_value());
}

TEST_F(FollowerSessionTest, OwnNodeInAHeartbeatsPathIsALoop) {
  FollowerDriver& driver = Resume(7);
  v1::PublisherMessage message;
  *message.mutable_heartbeat() = HeartbeatOf(100, {Id('n'), Id('q')});
  driver.Receive(message);
  ExpectEnd(v1::End::REASON_LOOP);
  EXPECT_FALSE(driver.session.heartbeat().has_value());
}

TEST_F(FollowerSessionTest, FailedWriteEndsTheStream) {
  FollowerDriver& driver = Resume(7);
  ReceiveUntil(At(8).offset);
  driver.Written(absl::ResourceExhaustedError("disk full"));
  ExpectEnd(v1::End::REASON_FOLLOWER_FAILED, "disk full");
  EXPECT_EQ(driver.session.durable(), At(7));
}

TEST_F(FollowerSessionTest, EndOfThePublisherIsKeptAndClosesWithoutAnswer) {
  FollowerDriver& driver = Resume(7);
  v1::PublisherMessage message;
  message.mutable_end()->set_reason(v1::End::REASON_SOURCE_FAILED);
  message.mutable_end()->set_message("\x1b" + std::string(10000, 'm'));
  message.mutable_end()->set_remedy("look");
  driver.Receive(message);
  EXPECT_TRUE(driver.closed);
  EXPECT_FALSE(driver.sending.has_value());
  EXPECT_EQ(driver.session.state(), FollowerSession::State::kEnded);
  EXPECT_EQ(driver.session.end()->reason, v1::End::REASON_SOURCE_FAILED);
  EXPECT_EQ(driver.session.end()->message, "?" + std::string(kLongestEndText - 1, 'm'));
  EXPECT_EQ(driver.session.end()->remedy, "look");
  EXPECT_TRUE(driver.session.end()->by_publisher);
}

TEST_F(FollowerSessionTest, EndOfThePublisherInPlaceOfTheWelcome) {
  FollowerDriver& driver = Open({FirstLineage(), file_.magic(), At(7)});
  v1::PublisherMessage message;
  message.mutable_end()->set_reason(v1::End::REASON_DIVERGED);
  driver.Receive(message);
  EXPECT_TRUE(driver.closed);
  EXPECT_EQ(driver.session.end()->reason, v1::End::REASON_DIVERGED);
}

TEST_F(FollowerSessionTest, StopIsSaidAndCloses) {
  FollowerDriver& driver = Resume(7);
  driver.Do(driver.session.OnStop());
  ExpectEnd(v1::End::REASON_SHUTDOWN);
}

TEST_F(FollowerSessionTest, StopWaitsForTheMessageBeingSent) {
  FollowerDriver& driver = Resume(7);
  ReceiveUntil(At(8).offset);
  driver.Written();
  driver.Do(driver.session.OnStop());
  EXPECT_TRUE(driver.Sent().has_acknowledge());
  EXPECT_FALSE(driver.closed);
  ExpectEnd(v1::End::REASON_SHUTDOWN);
}

TEST_F(FollowerSessionTest, StopBeforeTheStreamIsOpenClosesWithoutAWord) {
  driver_.emplace(options_, Copy{});
  driver_->Do(driver_->session.OnStop());
  EXPECT_TRUE(driver_->closed);
  EXPECT_FALSE(driver_->sending.has_value());
}

TEST_F(FollowerSessionTest, WriteThatIsDoneAfterTheEndMovesDurable) {
  FollowerDriver& driver = Resume(7);
  ReceiveUntil(At(8).offset);
  driver.Do(driver.session.OnStop());
  driver.Sent();
  ASSERT_TRUE(driver.closed);
  EXPECT_TRUE(driver.session.OnWritten(absl::OkStatus()).empty());
  EXPECT_EQ(driver.session.durable(), At(8));
}

TEST_F(FollowerSessionTest, CreationThatIsDoneAfterTheEndMovesDurable) {
  FollowerDriver& driver = Open({});
  driver.Receive(Welcome(v1::Welcome::DECISION_COPY, At(0)));
  driver.Do(driver.session.OnStop());
  driver.Sent();
  ASSERT_TRUE(driver.closed);
  EXPECT_TRUE(driver.session.OnCreated(absl::OkStatus()).empty());
  EXPECT_EQ(driver.session.durable(), At(0));
}

TEST_F(FollowerSessionTest, EventsAfterTheEndHaveNoEffects) {
  FollowerDriver& driver = Resume(7);
  const v1::PublisherMessage batch = BatchUntil(At(8).offset);
  driver.Do(driver.session.OnStop());
  driver.Receive(batch);  // between decision and close
  EXPECT_FALSE(driver.writing.has_value());
  driver.Sent();
  ASSERT_TRUE(driver.closed);
  EXPECT_TRUE(driver.session.OnMessage(batch).empty());
  EXPECT_TRUE(driver.session.OnSent().empty());
  EXPECT_TRUE(driver.session.OnStop().empty());
  EXPECT_TRUE(driver.session.OnOpen().empty());
}

}  // namespace
}  // namespace zrs::replication
