// A primary becomes a secondary; two primaries, and the end of one of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/sidecar/storage/promotion_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;
using testing::Not;
using DemotionTest = PromotionTest;

TEST_F(DemotionTest, AnOldPrimaryWithNothingExtraFollows) {
  BeginStreaming();
  primary_.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  Commit(secondary_, 3);
  primary_.SetUpstream("secondary");
  primary_.Start();
  RunUntilEqual(secondary_, primary_);
  RunUntilState(primary_, "streaming");
  EXPECT_EQ(primary_.Status().role(), "secondary");
  // And back again: what it was is no reason to stay that.
  secondary_.Stop();
  const Promoted answer = primary_.Promote(kWait);
  EXPECT_EQ(answer.result(), Promoted::RESULT_PROMOTED) << answer.message();
  EXPECT_EQ(answer.generation(), 3u);
  Commit(primary_, 2);
  // Its configuration names what it was promoted from: so it takes itself for a primary, until it is told.
  secondary_.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().role() == "primary"; }));
  EXPECT_TRUE(secondary_.Demote().ok());
  RunUntilEqual(primary_, secondary_);
  RunUntilState(secondary_, "streaming");
  EXPECT_EQ(secondary_.Status().generation(), 3u);
  secondary_.Stop();
  secondary_.Start();
  RunUntilState(secondary_, "streaming");
  EXPECT_EQ(secondary_.Status().role(), "secondary");
}

TEST_F(DemotionTest, OnlyAPrimaryThatHasSomebodyToFollowIsDemoted) {
  BeginStreaming();
  EXPECT_THAT(primary_.Demote().message(), HasSubstr("replicate-from"));
  EXPECT_THAT(secondary_.Demote().message(), HasSubstr("is a secondary"));
  EXPECT_TRUE(primary_.serving());
}

// It may have to give up what it was asked about, and is followed all the same.
TEST_F(DemotionTest, AWaitAtAPrimaryThatIsDemotedFails) {
  BeginStreaming();
  ExpectPromoted(secondary_.Promote(kForce));
  file_.Add({.tid = tests::TestTid(100), .records = {{.oid = 3, .data = std::string(5000, 'n')}}});
  secondary_.Write(file_.bytes());
  std::optional<v1::WaitResponse> patient;
  secondary_.BeginWait(1, absl::Minutes(10), patient);
  world_.RunFor(absl::Seconds(1));
  EXPECT_FALSE(patient.has_value());
  EXPECT_TRUE(secondary_.Demote().ok());
  ASSERT_TRUE(patient.has_value());
  EXPECT_EQ(patient->result(), v1::WaitResponse::RESULT_FAILED);
  EXPECT_THAT(patient->message(), HasSubstr("may be gone"));
}

TEST_F(DemotionTest, NobodyIsDemotedWhoseFileIsWritten) {
  BeginStreaming();
  ExpectPromoted(secondary_.Promote(kForce));
  {
    auto lock = secondary_.disk().OpenForWriting("/secondary/Data.fs.lock");
    ASSERT_TRUE(lock.ok() && (*lock)->LockExclusively().ok());
    EXPECT_THAT(secondary_.Demote().message(), HasSubstr("stop the database first"));
    ExpectPrimary(secondary_);
  }
  EXPECT_TRUE(secondary_.Demote().ok());
  RunUntilState(secondary_, "streaming");
}

TEST_F(DemotionTest, AnOldPrimaryWithMoreIsDivergedAndKept) {
  BeginStreaming();
  world_.network().Block("primary", "secondary", absl::Minutes(30));
  world_.network().Cut("primary", "secondary", /*half_open=*/false);
  const tests::FileBuilder common = file_;
  Commit(primary_, 3);
  world_.RunFor(absl::Seconds(5));
  primary_.Stop();
  const std::string old = primary_.Data();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  world_.network().Unblock();
  file_ = common;
  file_.Add({.tid = tests::TestTid(100), .records = {{.oid = 3, .data = std::string(5000, 'n')}}});
  secondary_.Write(file_.bytes());
  primary_.SetUpstream("secondary");
  primary_.Start();
  RunUntilState(primary_, "diverged");
  world_.RunFor(absl::Seconds(30));
  EXPECT_TRUE(primary_.Data() == old);
  EXPECT_THAT(primary_.Status().error().message(), HasSubstr("promoted at"));
  EXPECT_TRUE(secondary_.serving());
}

TEST_F(DemotionTest, AStalePrimaryLearnsOfItFromAFollowerOfTheNewOne) {
  Machine third(world_, "third", "primary");
  BeginStreaming();
  third.Start();
  RunUntilEqual(primary_, third);
  ExpectPromoted(secondary_.Promote(kForce));
  third.Stop();
  third.SetUpstream("secondary");
  third.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return third.Status().generation() == 2; }));
  third.Stop();
  EXPECT_TRUE(primary_.serving());
  third.SetUpstream("primary");
  third.Start();
  RunUntilState(primary_, "superseded");
  EXPECT_FALSE(primary_.serving());
  EXPECT_THAT(primary_.Status().error().message(), HasSubstr("stale primary"));
  EXPECT_THAT(primary_.Status().error().remedy(), HasSubstr("(replicate-from) and start zrs again; if"));
  EXPECT_TRUE(secondary_.serving());
}

TEST_F(DemotionTest, TwoPrimariesOfOneGenerationAreAConflictThatStopsBothSides) {
  Machine third(world_, "third", "primary");
  Machine fourth(world_, "fourth", "third");
  BeginStreaming();
  third.Start();
  fourth.Start();
  RunUntilEqual(primary_, fourth);
  RunUntilState(third, "streaming");
  primary_.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  EXPECT_EQ(third.Promote(kMustBeGone).result(), Promoted::RESULT_PROMOTED);
  EXPECT_TRUE(world_.RunUntil([&] { return fourth.Status().generation() == 2; }));
  Commit(secondary_, 3);
  RunUntilState(secondary_, "streaming");
  fourth.Stop();
  fourth.SetUpstream("secondary");
  fourth.Start();
  RunUntilState(fourth, "diverged");
  RunUntilState(secondary_, "superseded");
  EXPECT_FALSE(secondary_.serving());
  EXPECT_THAT(fourth.Status().error().message(), HasSubstr("two primaries"));
  // What a primary's host is told is not for a secondary's, neither at first nor once both have been compared, or the
  // primary has stopped for that.
  for (int look = 0; look < 3; ++look) {
    EXPECT_THAT(fourth.Status().error().remedy(), HasSubstr("promote --force on that one"));
    EXPECT_THAT(fourth.Status().error().remedy(), Not(HasSubstr(" here")));
    world_.RunFor(absl::Seconds(15));
  }
  // It was promoted, and its configuration says whom to follow.
  EXPECT_THAT(secondary_.Status().error().remedy(),
              HasSubstr("type zrs demote --storage secondary here, and it follows"));
  // Also over a restart, until a person has decided.
  secondary_.Stop();
  secondary_.Start();
  RunUntilState(secondary_, "superseded");
  EXPECT_EQ(secondary_.Promote(kMustBeGone).result(), Promoted::RESULT_WAS_PRIMARY);
  // It looks at its file no more; what the database does meanwhile is found afterwards.
  const uint64_t end = file_.size();
  file_ = Pack(file_);
  secondary_.Pack(file_.bytes());
  const Promoted answer = secondary_.Promote(kForce);
  EXPECT_EQ(answer.result(), Promoted::RESULT_PROMOTED) << answer.message();
  EXPECT_EQ(answer.generation(), 3u);
  EXPECT_EQ(answer.committed_end(), end) << "others may have all of that";
  RunUntilState(secondary_, "streaming");
  Commit(secondary_, 3);
  RunUntilEqual(secondary_, fourth);
  RunUntilState(fourth, "streaming");
  // The other one has nothing extra, and is told to follow.
  third.Stop();
  third.SetUpstream("secondary");
  third.Start();
  EXPECT_TRUE(third.Demote().ok());
  RunUntilEqual(secondary_, third);
  EXPECT_TRUE(secondary_.serving());
}

TEST_F(DemotionTest, OneWhoseFileIsDamagedIsSavedAndMended) {
  BeginStreaming();
  ExpectPromoted(secondary_.Promote(kForce));
  std::string damaged = file_.bytes() + std::string(100, '\xee');
  secondary_.Write(damaged);
  RunUntilState(secondary_, "stopped");
  EXPECT_TRUE(secondary_.Demote().ok());
  RunUntilEqual(primary_, secondary_);
  RunUntilState(secondary_, "streaming");
  EXPECT_EQ(secondary_.disk().Contents("/secondary/Data.fs.tr0"), std::string(100, '\xee'));
}

TEST_F(DemotionTest, AnOldPrimaryThatWasPackedWhileNoZrsLooked) {
  BeginStreaming();
  primary_.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  const std::string packed = Pack(file_).bytes();
  primary_.Pack(packed);
  primary_.SetUpstream("secondary");
  primary_.Start();
  RunUntilState(primary_, "stopped");
  EXPECT_THAT(primary_.Status().error().message(), HasSubstr("packed or replaced since"));
  EXPECT_TRUE(primary_.Data() == packed);
}

TEST_F(DemotionTest, AnOldPrimaryWhoseDiskIsFullWaits) {
  BeginStreaming();
  primary_.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  primary_.SetUpstream("secondary");
  primary_.disk().SetHook([](const tests::SimulatedOperation& operation) {
    const bool state =
        operation.kind == tests::SimulatedOperation::Kind::kWrite && operation.path == "/state/primary.state.new";
    return state ? absl::ResourceExhaustedError("No space left on device") : absl::OkStatus();
  });
  primary_.Start();
  RunUntilState(primary_, "disk-full");
  world_.RunFor(absl::Seconds(30));
  primary_.disk().SetHook(nullptr);
  RunUntilState(primary_, "streaming");
}

TEST_F(DemotionTest, OneByMistakeIsTakenBack) {
  BeginStreaming();
  ExpectPromoted(secondary_.Promote(kForce));
  EXPECT_TRUE(secondary_.Demote().ok());
  Commit(primary_, 3);
  RunUntilEqual(primary_, secondary_);
  RunUntilState(secondary_, "streaming");
  EXPECT_EQ(secondary_.Status().generation(), 1u);
  EXPECT_TRUE(primary_.serving());
  // It claims nothing any more, and can be promoted again.
  primary_.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
}

// Who follows it keeps what it was told meanwhile; that is no other primary.
TEST_F(DemotionTest, OneByMistakeThatWasFollowedIsTakenBackToo) {
  Machine third(world_, "third", "secondary");
  BeginStreaming();
  third.Start();
  RunUntilEqual(primary_, third);
  ExpectPromoted(secondary_.Promote(kForce));
  EXPECT_TRUE(world_.RunUntil([&] { return third.Status().generation() == 2; }));
  EXPECT_TRUE(secondary_.Demote().ok());
  Commit(primary_, 3);
  RunUntilEqual(primary_, secondary_);
  world_.RunFor(absl::Minutes(2));
  RunUntilState(secondary_, "streaming");
  EXPECT_TRUE(primary_.serving());
  EXPECT_EQ(primary_.Status().state(), "streaming");
}

TEST_F(DemotionTest, OneByMistakeThatWasWrittenToIsDivergedAndTheOtherIsWell) {
  BeginStreaming();
  ExpectPromoted(secondary_.Promote(kForce));
  const tests::FileBuilder common = file_;
  Commit(secondary_, 2);
  const std::string extra = file_.bytes();
  file_ = common;
  EXPECT_TRUE(secondary_.Demote().ok());
  RunUntilState(secondary_, "diverged");
  Commit(primary_, 3);
  world_.RunFor(absl::Seconds(30));
  EXPECT_TRUE(primary_.serving());
  EXPECT_TRUE(secondary_.Data() == extra);
  EXPECT_THAT(secondary_.Promote(kMustBeGone).message(), HasSubstr("has diverged"));
}

TEST_F(DemotionTest, AnotherAddressInTheConfigurationMakesNobodyASecondary) {
  BeginStreaming();
  primary_.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  secondary_.Stop();
  secondary_.SetUpstream("elsewhere");
  secondary_.Start();
  ExpectPrimary(secondary_);
  // A configuration that tells the same makes history of the promotion.
  secondary_.Stop();
  secondary_.SetUpstream("");
  secondary_.Start();
  ExpectPrimary(secondary_);
  secondary_.Stop();
  primary_.Start();
  secondary_.SetUpstream("primary");
  secondary_.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().role() == "secondary"; }));
}

// It has heard of the other one's generation, and does not begin the same.
TEST_F(DemotionTest, ADivergedOneThatIsPromotedAllTheSameOutvotesTheOther) {
  BeginStreaming();
  ExpectPromoted(secondary_.Promote(kForce));
  const tests::FileBuilder common = file_;
  Commit(primary_, 2);
  primary_.Stop();
  file_ = common;
  primary_.SetUpstream("secondary");
  primary_.Start();
  RunUntilState(primary_, "diverged");
  EXPECT_EQ(primary_.Promote(kForce).generation(), 3u);
  RunUntilState(primary_, "streaming");
  EXPECT_TRUE(secondary_.serving());
}

// A database cuts it off too when it opens the file, and saves it.
TEST_F(DemotionTest, WhatAnOldPrimaryHasNotCommittedIsSaved) {
  BeginStreaming();
  ExpectPromoted(secondary_.Promote(kForce));
  tests::FileBuilder voted = file_;
  std::string bytes = voted.AddMany(1, 5000).bytes();
  bytes[file_.bytes().size() + 16] = 'c';
  primary_.Write(bytes);
  primary_.Stop();
  primary_.SetUpstream("secondary");
  primary_.Start();
  RunUntilEqual(secondary_, primary_);
  EXPECT_EQ(primary_.disk().Contents("/primary/Data.fs.tr0"), bytes.substr(file_.bytes().size()));
}

// Its followers know of the new primary before they get anything of it.
TEST_F(DemotionTest, ASecondaryWithAnotherPrimaryTellsItsFollowers) {
  Machine third(world_, "third", "primary");
  Machine fourth(world_, "fourth", "third");
  BeginStreaming();
  third.Start();
  fourth.Start();
  RunUntilEqual(primary_, fourth);
  primary_.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  third.Stop();
  third.SetUpstream("secondary");
  third.Start();
  Commit(secondary_, 3);
  RunUntilEqual(secondary_, fourth);
  EXPECT_TRUE(world_.RunUntil([&] { return fourth.Status().generation() == 2; }));
  third.Stop();
  third.Start();
  Commit(secondary_, 1);
  RunUntilEqual(secondary_, fourth);
  RunUntilState(fourth, "streaming");
}

}  // namespace
}  // namespace zrs::storage
