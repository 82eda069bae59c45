// A publisher is asked about its file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "filestorage/digest.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/limits.h"
#include "sidecar/replication/range_chain.h"
#include "tests/sidecar/replication/publisher_session_fixture.h"

namespace zrs::replication {
namespace {

using testing::HasSubstr;

class InspectionTest : public PublisherSessionTest {
 protected:
  // Up to where it waits for a question.
  PublisherDriver& Inspect() {
    Publication publication = PublicationOf(file_);
    publication.takes_identity = takes_identity_;
    return Inspect(publication);
  }
  PublisherDriver& Inspect(const Publication& publication) {
    v1::FollowerMessage hello = HelloMessage({});
    hello.mutable_hello()->set_inspect(true);
    driver_.emplace(PublisherOptions{}, publication);
    driver_->receiving = true;
    driver_->Receive(hello);
    welcome_ = driver_->Sent();
    EXPECT_TRUE(driver_->receiving);
    return *driver_;
  }
  static v1::FollowerMessage AskDigest(uint64_t begin, uint64_t end) {
    v1::FollowerMessage message;
    message.mutable_digest_request()->set_begin(begin);
    message.mutable_digest_request()->set_end(end);
    return message;
  }
  static v1::FollowerMessage AskTransaction(uint64_t begin) {
    v1::FollowerMessage message;
    message.mutable_transaction_request()->set_begin(begin);
    return message;
  }

  // Up to where it has asked about all before `end`, and waits for the next question.
  PublisherDriver& Compare(uint64_t end, v1::End::TakesIdentity takes = v1::End::TAKES_IDENTITY_WHILE_NEW) {
    takes_identity_ = takes;
    PublisherDriver& driver = Inspect();
    chain_ = {};
    uint64_t begin = 4;
    for (const uint64_t to : {end / 2, end}) {
      driver.Receive(AskDigest(begin, to));
      driver.digest.reset();
      const filestorage::Digest digest = filestorage::DigestOf(std::to_string(to));
      driver.Do(driver.session.OnDigested(digest));
      driver.Sent();
      chain_.Add(begin, to, digest);
      begin = to;
    }
    return driver;
  }
  // For all that was asked about.
  v1::FollowerMessage Vouch(const filestorage::Boundary& position) {
    v1::FollowerMessage message;
    *message.mutable_vouch()->mutable_lineage() = FirstLineage('o');
    *message.mutable_vouch()->mutable_position() = ToProto(position);
    message.mutable_vouch()->set_proof(chain_.digest().ToBytes());
    return message;
  }

  v1::PublisherMessage welcome_;
  v1::End::TakesIdentity takes_identity_ = v1::End::TAKES_IDENTITY_NO;
  RangeChain chain_;
};

TEST_F(InspectionTest, ItIsToldWhereTheFileEndsAndNothingElseIsSent) {
  PublisherDriver& driver = Inspect();
  EXPECT_EQ(welcome_.welcome().decision(), v1::Welcome::DECISION_INSPECT);
  EXPECT_EQ(*FromProto(welcome_.welcome().start()), file_.end());
  EXPECT_EQ(driver.session.state(), PublisherSession::State::kInspecting);
  driver.Do(driver.session.OnHeartbeat(HeartbeatOf(file_.size(), {Id('p')})));
  file_.AddMany(3, 100);
  driver.Do(driver.session.OnCommittedEnd(file_.end()));
  EXPECT_FALSE(driver.sending);
  EXPECT_TRUE(driver.reads.empty());
  EXPECT_FALSE(driver.session.last_seen()) << "it is no follower";
}

TEST_F(InspectionTest, DigestsOfWhatIsCommitted) {
  PublisherDriver& driver = Inspect();
  for (int i = 0; i < 3; ++i) {
    driver.Receive(AskDigest(0, file_.size()));
    ASSERT_TRUE(driver.digest);
    EXPECT_EQ(driver.digest->end, file_.size());
    driver.digest.reset();
    EXPECT_TRUE(driver.receiving);
    driver.Do(driver.session.OnDigested(filestorage::DigestOf("bytes")));
    EXPECT_EQ(driver.Sent().range_digest().digest(), filestorage::DigestOf("bytes").ToBytes());
    // Also of what is committed meanwhile.
    file_.AddMany(1, 100);
    driver.Do(driver.session.OnCommittedEnd(file_.end()));
  }
}

TEST_F(InspectionTest, OneTransaction) {
  PublisherDriver& driver = Inspect();
  driver.Receive(AskTransaction(At(3).offset));
  ASSERT_TRUE(driver.find);
  EXPECT_EQ(driver.find->begin, At(3).offset);
  driver.find.reset();
  driver.Do(driver.session.OnFound(
      filestorage::ProbedTransaction{At(3).offset, At(4).offset, 77, std::string(5000, 'u'), "description"}));
  const v1::FoundTransaction found = driver.Sent().found_transaction();
  EXPECT_EQ(found.begin(), At(3).offset);
  EXPECT_EQ(found.end(), At(4).offset);
  EXPECT_EQ(found.tid(), 77u);
  EXPECT_EQ(found.user().size(), 1024u);
  EXPECT_EQ(found.description(), "description");
}

TEST_F(InspectionTest, DamageIsAnAnswerAndNoFailureOfTheSource) {
  PublisherDriver& driver = Inspect();
  driver.Receive(AskTransaction(At(3).offset));
  driver.Do(driver.session.OnFound(absl::DataLossError("at 5: nonsense")));
  const v1::FoundTransaction found = driver.Sent().found_transaction();
  EXPECT_EQ(found.end(), 0u);
  EXPECT_EQ(found.reason(), "at 5: nonsense");
  EXPECT_TRUE(driver.session.source_error().ok());
}

TEST_F(InspectionTest, AFileThatCannotBeReadIsAFailedSource) {
  PublisherDriver& driver = Inspect();
  driver.Receive(AskTransaction(At(3).offset));
  driver.Do(driver.session.OnFound(absl::UnavailableError("the disk is gone")));
  EXPECT_EQ(driver.session.source_error().code(), absl::StatusCode::kUnavailable);
  ExpectEnd(driver, v1::End::REASON_SOURCE_FAILED, "the disk is gone");
}

TEST_F(InspectionTest, WhatIsNoQuestionIsAProtocolError) {
  for (const v1::FollowerMessage& message :
       {AskDigest(5, 5), AskDigest(6, 5), AskDigest(0, file_.size() + 1), AskTransaction(3),
        AskTransaction(file_.size()), Acknowledgement(4), HelloMessage({}), v1::FollowerMessage()}) {
    PublisherDriver& driver = Inspect();
    driver.Receive(message);
    ExpectEnd(driver, v1::End::REASON_PROTOCOL);
  }
}

TEST_F(InspectionTest, RangesThatNoFileHasAreRefusedSayingWhatThereIs) {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  const std::vector<std::pair<uint64_t, uint64_t>> ranges = {
      {0, 0},
      {file_.size(), file_.size()},
      {kMost, 0},
      {kMost, 1},
      {0, kMost},
      {kMost - 1, kMost},
      {uint64_t{1} << 63, (uint64_t{1} << 63) + 1},
      {file_.size() - 1, (uint64_t{1} << 63) - 1},
      {file_.size(), file_.size() + 1},
  };
  for (const auto& [begin, end] : ranges) {
    PublisherDriver& driver = Inspect();
    driver.Receive(AskDigest(begin, end));
    EXPECT_FALSE(driver.digest) << begin << " to " << end;
    ExpectEnd(driver, v1::End::REASON_PROTOCOL, absl::StrCat("only ", file_.size(), " bytes were committed"));
  }
  for (const uint64_t begin : {uint64_t{0}, file_.size(), uint64_t{1} << 63, kMost - 22, kMost}) {
    PublisherDriver& driver = Inspect();
    driver.Receive(AskTransaction(begin));
    EXPECT_FALSE(driver.find) << begin;
    ExpectEnd(driver, v1::End::REASON_PROTOCOL, absl::StrCat("what is committed ends at ", file_.size()));
  }
}

TEST_F(InspectionTest, ADigestOfMoreThan16MiBIsRefusedAndOneOf16MiBIsNot) {
  Publication publication = PublicationOf(file_);
  publication.end.offset = uint64_t{1} << 40;
  for (const bool more : {false, true}) {
    PublisherDriver& driver = Inspect(publication);
    driver.Receive(AskDigest(5, 5 + kMostInspected + (more ? 1 : 0)));
    EXPECT_EQ(driver.digest.has_value(), !more);
    if (more) ExpectEnd(driver, v1::End::REASON_PROTOCOL, "16777217 bytes at once, more than 16777216");
  }
}

TEST_F(InspectionTest, AFollowerThatDoesNotRebuildAsksForNoDigests) {
  PublisherDriver& driver = ServeIdle();
  driver.Receive(AskDigest(0, 5));
  EXPECT_FALSE(driver.digest);
  ExpectEnd(driver, v1::End::REASON_PROTOCOL, "a digest, though it does not build a file anew");
}

TEST_F(InspectionTest, OneQuestionAtATime) {
  for (const bool first : {false, true}) {
    for (const bool second : {false, true}) {
      PublisherDriver& driver = Inspect();
      driver.Receive(first ? AskDigest(0, 5) : AskTransaction(4));
      driver.digest.reset();
      driver.find.reset();
      driver.Receive(second ? AskDigest(0, 5) : AskTransaction(4));
      ExpectEnd(driver, v1::End::REASON_PROTOCOL, "before the first was answered");
    }
  }
}

TEST_F(InspectionTest, AFollowerAsksForNoTransactions) {
  PublisherDriver& driver = ServeIdle();
  driver.Receive(AskTransaction(4));
  ExpectEnd(driver, v1::End::REASON_PROTOCOL, "did not say that it inspects");
}

TEST_F(InspectionTest, WhoHasComparedAllOfItsFileMaySayWhatItIs) {
  PublisherDriver& driver = Compare(At(3).offset);
  driver.Receive(Vouch(At(3)));
  ASSERT_TRUE(driver.probe);
  EXPECT_EQ(*driver.probe, At(3));
  driver.probe.reset();
  driver.Do(driver.session.OnProbed(true));
  ASSERT_TRUE(driver.identity);
  EXPECT_EQ(driver.identity->database_id(), FirstLineage('o').database_id());
  driver.Do(driver.session.OnIdentityTaken(absl::OkStatus()));
  ExpectEnd(driver, v1::End::REASON_REPLACED, "identity");
}

TEST_F(InspectionTest, AnIdentityThatCannotBeTakenIsRefused) {
  PublisherDriver& driver = Compare(At(3).offset);
  driver.Receive(Vouch(At(3)));
  driver.probe.reset();
  driver.Do(driver.session.OnProbed(true));
  driver.Do(driver.session.OnIdentityTaken(absl::UnavailableError("no room")));
  ExpectEnd(driver, v1::End::REASON_OTHER_DATABASE, "no room");
}

TEST_F(InspectionTest, APositionThatTheFileDoesNotHaveIsRefused) {
  PublisherDriver& driver = Compare(At(3).offset);
  driver.Receive(Vouch(At(3)));
  driver.probe.reset();
  driver.Do(driver.session.OnProbed(false));
  EXPECT_FALSE(driver.identity);
  ExpectEnd(driver, v1::End::REASON_OTHER_DATABASE, "other bytes");
}

TEST_F(InspectionTest, WhoTakesNoIdentityRefusesIt) {
  PublisherDriver& driver = Compare(At(3).offset, v1::End::TAKES_IDENTITY_NO);
  driver.Receive(Vouch(At(3)));
  ExpectEnd(driver, v1::End::REASON_OTHER_DATABASE, "takes no identity");
}

TEST_F(InspectionTest, AVouchForWhatWasNotComparedIsAProtocolError) {
  const auto expect = [this](const v1::FollowerMessage& message, const std::string& why) {
    PublisherDriver& driver = Compare(At(3).offset);
    driver.Receive(message);
    EXPECT_FALSE(driver.identity);
    ExpectEnd(driver, v1::End::REASON_PROTOCOL, why);
  };
  Compare(At(3).offset);
  expect(Vouch(At(2)), "what was asked about");
  expect(Vouch(At(4)), "what was asked about");
  expect(Vouch(At(0)), "without a transaction");
  v1::FollowerMessage message = Vouch(At(3));
  message.mutable_vouch()->set_proof(filestorage::DigestOf("other").ToBytes());
  expect(message, "what was asked about");
  message.mutable_vouch()->set_proof("short");
  expect(message, "");
  message = Vouch(At(3));
  message.mutable_vouch()->mutable_lineage()->mutable_epochs()->Clear();
  expect(message, "without epochs");
  message.mutable_vouch()->clear_lineage();
  expect(message, "no database");
  message = Vouch(At(3));
  message.mutable_vouch()->mutable_position()->set_digest("short");
  expect(message, "");
}

TEST_F(InspectionTest, AGapInWhatWasComparedIsNoneThatCounts) {
  takes_identity_ = v1::End::TAKES_IDENTITY_WHILE_NEW;
  PublisherDriver& driver = Inspect();
  driver.Receive(AskDigest(5, At(3).offset));
  driver.digest.reset();
  driver.Do(driver.session.OnDigested(filestorage::DigestOf("x")));
  driver.Sent();
  driver.Receive(Vouch(At(3)));
  ExpectEnd(driver, v1::End::REASON_PROTOCOL, "ends at 4");
}

TEST_F(InspectionTest, AVouchWaitsForTheLastAnswer) {
  PublisherDriver& driver = Compare(At(3).offset);
  driver.Receive(AskDigest(0, 5));
  driver.digest.reset();
  driver.Receive(Vouch(At(3)));
  ExpectEnd(driver, v1::End::REASON_PROTOCOL, "before the last question");
}

TEST_F(InspectionTest, AFollowerVouchesForNothing) {
  PublisherDriver& driver = ServeIdle();
  driver.Receive(Vouch(At(3)));
  ExpectEnd(driver, v1::End::REASON_PROTOCOL, "did not say that it inspects");
}

TEST_F(InspectionTest, ItEndsWhenTheFileIsReplaced) {
  PublisherDriver& driver = Inspect();
  driver.Receive(AskDigest(0, 5));
  driver.Do(driver.session.OnEnd(v1::End::REASON_REPLACED, "packed", "none"));
  driver.Do(driver.session.OnDigested(filestorage::DigestOf("late")));
  ExpectEnd(driver, v1::End::REASON_REPLACED, "packed");
}

}  // namespace
}  // namespace zrs::replication
