// What ends a publisher session, and how.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sidecar/replication/end_message.h"
#include "sidecar/replication/publisher_session.h"
#include "tests/sidecar/replication/drivers.h"
#include "tests/sidecar/replication/fixtures.h"
#include "tests/sidecar/replication/publisher_session_fixture.h"

namespace zrs::replication {
namespace {

TEST_F(PublisherSessionTest, CorruptBytesAreNotShipped) {
  std::string corrupt = file_.bytes();
  corrupt[At(8).offset - 1] ^= 1;  // in a redundant length
  PublisherDriver& driver = Serve(At(5));
  const std::vector<v1::PublisherMessage> sent = driver.Run(corrupt);
  EXPECT_TRUE(driver.closed);
  EXPECT_EQ(driver.session.source_error().code(), absl::StatusCode::kDataLoss);
  for (const v1::PublisherMessage& message : sent) {
    if (message.has_batch()) {
      EXPECT_LE(message.batch().offset() + message.batch().data().size(), At(8).offset - 1);
    }
  }
  EXPECT_EQ(sent.back().end().reason(), v1::End::REASON_SOURCE_FAILED);
  EXPECT_NE(sent.back().end().message().find("damaged at offset"), std::string::npos) << sent.back().end().message();
}

TEST_F(PublisherSessionTest, UncommittedBytesBelowTheCommittedEndAreNotShipped) {
  std::string changed = file_.bytes();
  changed[At(5).offset + 16] = 'c';
  PublisherDriver& driver = Serve(At(5));
  const std::vector<v1::PublisherMessage> sent = driver.Run(changed);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_NE(sent[1].end().message().find("uncommitted transaction at offset " + std::to_string(At(5).offset)),
            std::string::npos)
      << sent[1].end().message();
}

TEST_F(PublisherSessionTest, AnotherSoundFileInPlaceOfOursIsNotShipped) {
  std::string changed = file_.bytes();
  changed[file_.size() - 20] ^= 1;  // in the data of the last record
  PublisherDriver& driver = Serve(At(19), {.batch_size = 4096, .read_ahead = 1});
  const std::vector<v1::PublisherMessage> sent = driver.Run(changed);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[1].end().reason(), v1::End::REASON_SOURCE_FAILED);
  EXPECT_NE(sent[1].end().message().find("not the one that was committed"), std::string::npos);
}

TEST_F(PublisherSessionTest, CommittedEndInsideATransactionIsNotShipped) {
  Publication publication = PublicationOf(file_);
  publication.end.offset -= 5;
  driver_.emplace(PublisherOptions{}, publication);
  driver_->Receive(HelloMessage({}));
  EXPECT_EQ(driver_->Run(file_.bytes()).back().end().reason(), v1::End::REASON_SOURCE_FAILED);
}

TEST_F(PublisherSessionTest, ShortReadIsAFailedSource) {
  PublisherDriver& driver = Serve(At(5));
  const ReadBytes read = driver.reads.front();
  driver.Do(driver.session.OnBytes(read.offset, file_.bytes().substr(read.offset, read.size - 1)));
  ExpectEnd(driver, v1::End::REASON_SOURCE_FAILED, "only 199 are there");
}

TEST_F(PublisherSessionTest, FailedReadIsAFailedSource) {
  PublisherDriver& driver = Serve(At(5));
  driver.Do(driver.session.OnBytes(driver.reads.front().offset, absl::InternalError("EIO")));
  EXPECT_EQ(driver.session.source_error().code(), absl::StatusCode::kInternal);
  ExpectEnd(driver, v1::End::REASON_SOURCE_FAILED, "EIO");
}

TEST_F(PublisherSessionTest, EndWaitsForTheMessageBeingSent) {
  PublisherDriver& driver = Serve(At(5));
  driver.Do(driver.session.OnEnd(v1::End::REASON_SHUTDOWN, "stopping\n", "come back"));
  EXPECT_TRUE(driver.Sent().has_welcome());
  EXPECT_FALSE(driver.closed);
  const v1::PublisherMessage end = driver.Sent();
  EXPECT_EQ(end.end().reason(), v1::End::REASON_SHUTDOWN);
  EXPECT_EQ(end.end().message(), "stopping?");
  EXPECT_TRUE(driver.closed);
}

TEST_F(PublisherSessionTest, OnlyTheFirstEndIsSent) {
  PublisherDriver& driver = ServeIdle();
  driver.Do(driver.session.OnEnd(v1::End::REASON_SHUTDOWN, "first", "none"));
  driver.Do(driver.session.OnEnd(v1::End::REASON_REFUSED, "second", "none"));
  driver.Receive({});
  ExpectEnd(driver, v1::End::REASON_SHUTDOWN, "first");
}

TEST_F(PublisherSessionTest, EndBeforeTheHelloIsSentToo) {
  driver_.emplace(PublisherOptions{}, PublicationOf(file_));
  driver_->Do(driver_->session.OnEnd(v1::End::REASON_SHUTDOWN, "stopping", "none"));
  ExpectEnd(*driver_, v1::End::REASON_SHUTDOWN);
}

TEST_F(PublisherSessionTest, EndOfTheFollowerClosesWithoutAnswer) {
  PublisherDriver& driver = ServeIdle();
  v1::FollowerMessage end;
  *end.mutable_end() = MakeEnd(v1::End::REASON_FOLLOWER_FAILED, "disk full", "buy one");
  driver.Receive(end);
  EXPECT_TRUE(driver.closed);
  EXPECT_FALSE(driver.sending.has_value());
  EXPECT_EQ(driver.session.follower_end()->message(), "disk full");
  EXPECT_FALSE(driver.session.own_end().has_value());
}

TEST_F(PublisherSessionTest, EndOfTheFollowerThatCrossesOursClosesAndIsNotTheReason) {
  PublisherDriver& driver = ServeIdle();
  driver.Do(driver.session.OnEnd(v1::End::REASON_SHUTDOWN, "stopping", "none"));
  v1::FollowerMessage end;
  end.mutable_end()->set_reason(v1::End::REASON_SHUTDOWN);
  driver.Receive(end);
  EXPECT_TRUE(driver.closed);
  EXPECT_EQ(driver.session.own_end()->message(), "stopping");
  EXPECT_FALSE(driver.session.follower_end().has_value());
}

TEST_F(PublisherSessionTest, LongTextsOfTheFollowersEndAreCut) {
  PublisherDriver& driver = ServeIdle();
  v1::FollowerMessage end;
  end.mutable_end()->set_message(std::string(10000, 'm'));
  driver.Receive(end);
  EXPECT_EQ(driver.session.follower_end()->message().size(), kLongestEndText);
}

TEST_F(PublisherSessionTest, EventsAfterTheEndHaveNoEffects) {
  PublisherDriver& driver = Serve(At(5));
  const ReadBytes read = driver.reads.front();
  v1::FollowerMessage end;
  end.mutable_end()->set_reason(v1::End::REASON_SHUTDOWN);
  driver.Receive(end);
  ASSERT_TRUE(driver.closed);
  EXPECT_TRUE(driver.session.OnSent().empty());
  EXPECT_TRUE(driver.session.OnBytes(read.offset, std::string("x")).empty());
  EXPECT_TRUE(driver.session.OnProbed(true).empty());
  EXPECT_TRUE(driver.session.OnCommittedEnd(file_.end()).empty());
  EXPECT_TRUE(driver.session.OnHeartbeat(HeartbeatOf(4, {Id('p')})).empty());
  EXPECT_TRUE(driver.session.OnEnd(v1::End::REASON_SHUTDOWN, "", "").empty());
  EXPECT_TRUE(driver.session.OnMessage(Acknowledgement(4)).empty());
}

}  // namespace
}  // namespace zrs::replication
