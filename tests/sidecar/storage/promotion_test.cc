// A secondary becomes a primary, and an old primary a secondary.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/storage_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;
using Promoted = v1::PromotedStorage;

constexpr auto kMustBeGone = v1::PromoteRequest::UPSTREAM_MUST_BE_GONE;
constexpr auto kWait = v1::PromoteRequest::UPSTREAM_WAIT_UNTIL_GONE;
constexpr auto kForce = v1::PromoteRequest::UPSTREAM_NO_MATTER;

class PromotionTest : public PairTest {
 protected:
  void BeginStreaming() {
    Begin();
    RunUntilState(secondary_, "streaming");
  }
  void ExpectRefused(const Promoted& answer, const std::string& words) {
    EXPECT_EQ(answer.result(), Promoted::RESULT_REFUSED) << answer.message();
    EXPECT_THAT(answer.message(), HasSubstr(words));
    EXPECT_EQ(secondary_.Status().role(), "secondary");
    EXPECT_EQ(secondary_.Status().generation(), 1u);
  }
  void ExpectPromoted(const Promoted& answer) {
    EXPECT_EQ(answer.result(), Promoted::RESULT_PROMOTED) << answer.message();
    EXPECT_EQ(answer.generation(), 2u);
    EXPECT_EQ(answer.committed_end(), secondary_.Size());
    ExpectPrimary(secondary_);
  }
  void ExpectPrimary(Machine& machine) {
    RunUntilState(machine, "streaming");
    EXPECT_EQ(machine.Status().role(), "primary");
    EXPECT_EQ(machine.Status().generation(), 2u);
    EXPECT_TRUE(machine.serving());
  }
  // More is committed at the machine, which nobody else has.
  void Commit(Machine& machine, size_t count = 1) { machine.Write(file_.AddMany(count, 300).bytes()); }
};

TEST_F(PromotionTest, WhenThePrimaryIsGone) {
  BeginStreaming();
  primary_.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  EXPECT_TRUE(secondary_.Data() == file_.bytes());
  EXPECT_EQ(secondary_.Promote(kMustBeGone).result(), Promoted::RESULT_WAS_PRIMARY);
}

TEST_F(PromotionTest, TheLockIsLetGoOf) {
  BeginStreaming();
  primary_.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  auto file = secondary_.disk().OpenForWriting("/secondary/Data.fs.lock");
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE((*file)->LockExclusively().ok());
}

TEST_F(PromotionTest, IsRefusedWhileTheUpstreamIsThere) {
  BeginStreaming();
  ExpectRefused(secondary_.Promote(kMustBeGone), "can be reached (it is being followed)");
  Commit(primary_);
  RunUntilEqual(primary_, secondary_);
}

TEST_F(PromotionTest, IsRefusedWhileTheUpstreamIsThereAndRefusesThisFollower) {
  BeginStreaming();
  secondary_.Stop();
  primary_.SetMaxFollowers(0);
  primary_.Stop();
  primary_.Start();
  secondary_.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().upstream().has_last_error(); }));
  ExpectRefused(secondary_.Promote(kMustBeGone), "can be reached (it says: ");
}

TEST_F(PromotionTest, IsRefusedWhenTheUpstreamIsBackBeforeItWasAskedAgain) {
  BeginStreaming();
  primary_.Stop();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().state() == "connecting"; }));
  world_.RunFor(absl::Seconds(8));  // it is asked ever more seldom
  primary_.Start();
  ExpectRefused(secondary_.Promote(kMustBeGone), "can be reached");
}

TEST_F(PromotionTest, ByForceWhateverTheUpstreamIs) {
  BeginStreaming();
  ExpectPromoted(secondary_.Promote(kForce));
  // What the other one commits is not followed any more.
  const std::string copy = secondary_.Data();
  Commit(primary_);
  world_.RunFor(absl::Seconds(20));
  EXPECT_TRUE(secondary_.Data() == copy);
}

TEST_F(PromotionTest, ByForceWithAllThatHasArrived) {
  BeginStreaming();
  for (int n = 0; n < 50; ++n) Commit(primary_);
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Size() > file_.size() / 2; }));
  const Promoted answer = secondary_.Promote(kForce);
  EXPECT_EQ(answer.result(), Promoted::RESULT_PROMOTED);
  EXPECT_EQ(file_.bytes().substr(0, secondary_.Size()), secondary_.Data());
  EXPECT_EQ(answer.committed_end(), secondary_.Size());
}

TEST_F(PromotionTest, IsRefusedBeforeTheFirstCopyIsComplete) {
  file_.AddMany(5000, 900);
  primary_.Write(file_.bytes());
  primary_.Start();
  secondary_.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Size() > 200'000; }));
  world_.network().Block("primary", "secondary", absl::Minutes(30));
  world_.network().Cut("primary", "secondary", /*half_open=*/false);
  for (const auto upstream : {kMustBeGone, kForce, kWait}) ExpectRefused(secondary_.Promote(upstream), "not complete");
  // Nor after a restart.
  secondary_.Stop();
  secondary_.Start();
  RunUntilState(secondary_, "connecting");
  ExpectRefused(secondary_.Promote(kForce), "not complete");
}

TEST_F(PromotionTest, IsRefusedWhilePaused) {
  BeginStreaming();
  secondary_.Pause();
  ExpectRefused(secondary_.Promote(kForce), "zrs resume");
  secondary_.Resume();
}

TEST_F(PromotionTest, WaitsUntilTheUpstreamHasBeenStopped) {
  BeginStreaming();
  std::optional<Promoted> answer;
  const bool wanted = true;
  secondary_.BeginPromote(kWait, wanted, answer);
  Commit(primary_, 5);
  world_.RunFor(absl::Seconds(30));
  EXPECT_FALSE(answer);
  EXPECT_EQ(secondary_.Promote(kMustBeGone).result(), Promoted::RESULT_REFUSED) << "one is under way";
  Commit(primary_, 5);
  primary_.Stop();
  EXPECT_TRUE(world_.RunUntil([&] { return answer.has_value(); }));
  ExpectPromoted(*answer);
  EXPECT_TRUE(secondary_.Data() == primary_.Data());
}

TEST_F(PromotionTest, AfterAnOrderlyStopThereIsNothingToWaitFor) {
  BeginStreaming();
  primary_.Stop();
  world_.RunFor(absl::Seconds(30));
  ExpectPromoted(secondary_.Promote(kWait));
}

TEST_F(PromotionTest, DoesNotWaitForAnUpstreamThatIsLost) {
  BeginStreaming();
  std::optional<Promoted> answer;
  const bool wanted = true;
  secondary_.BeginPromote(kWait, wanted, answer);
  world_.RunFor(absl::Seconds(3));
  world_.network().Block("primary", "secondary", absl::Minutes(5));
  world_.network().Cut("primary", "secondary", /*half_open=*/false);
  EXPECT_TRUE(world_.RunUntil([&] { return answer.has_value(); }));
  ExpectRefused(*answer, "was lost, and not ended in order");
  world_.network().Unblock();
}

TEST_F(PromotionTest, DoesNotWaitWhereTheUpstreamHasStoppedWithMore) {
  BeginStreaming();
  secondary_.HoldIo(absl::Seconds(40));
  Commit(primary_, 5);
  world_.RunFor(absl::Seconds(1));
  primary_.Stop();
  const Promoted answer = secondary_.Promote(kWait);
  // What was on its way when the stream ended may be here by now.
  if (secondary_.Data() == file_.bytes()) return ExpectPromoted(answer);
  ExpectRefused(answer, "bytes of what was committed there were here");
}

TEST_F(PromotionTest, IsGivenUpWhenNobodyWaitsForIt) {
  BeginStreaming();
  std::optional<Promoted> answer;
  bool wanted = true;
  secondary_.BeginPromote(kWait, wanted, answer);
  world_.RunFor(absl::Seconds(3));
  wanted = false;
  EXPECT_TRUE(world_.RunUntil([&] { return answer.has_value(); }));
  primary_.Stop();
  world_.RunFor(absl::Seconds(30));
  EXPECT_EQ(secondary_.Status().role(), "secondary");
}

TEST_F(PromotionTest, IsGivenUpWhenTheProcessStops) {
  BeginStreaming();
  std::optional<Promoted> answer;
  const bool wanted = true;
  secondary_.BeginPromote(kWait, wanted, answer);
  world_.RunFor(absl::Seconds(3));
  secondary_.Stop();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->result(), Promoted::RESULT_REFUSED);
  secondary_.Start();
  RunUntilState(secondary_, "streaming");
  EXPECT_EQ(secondary_.Status().role(), "secondary");
}

TEST_F(PromotionTest, TheFenceHasToSucceed) {
  bool fenced = false;
  absl::Status fence = absl::UnknownError("exit code 3");
  secondary_.SetFence([&](absl::AnyInvocable<void(absl::Status)> done) {
    fenced = true;
    done(fence);
  });
  BeginStreaming();
  ExpectRefused(secondary_.Promote(kMustBeGone), "can be reached");
  EXPECT_FALSE(fenced) << "before it is certain that it will be promoted";
  primary_.Stop();
  ExpectRefused(secondary_.Promote(kMustBeGone), "exit code 3");
  EXPECT_TRUE(fenced);
  fence = absl::OkStatus();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
}

TEST_F(PromotionTest, WhereTheStateCannotBeWrittenItStaysASecondary) {
  BeginStreaming();
  primary_.Stop();
  secondary_.disk().SetCapacity(0);
  const Promoted answer = secondary_.Promote(kMustBeGone);
  EXPECT_EQ(answer.result(), Promoted::RESULT_FAILED) << answer.message();
  EXPECT_EQ(secondary_.Status().role(), "secondary");
  secondary_.disk().SetCapacity(UINT64_MAX);
  primary_.Start();
  Commit(primary_);
  RunUntilEqual(primary_, secondary_);
}

TEST_F(PromotionTest, ItStaysAPrimaryOverRestarts) {
  BeginStreaming();
  primary_.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  Commit(secondary_, 3);
  secondary_.Stop();
  primary_.Start();  // which must not be followed, though the configuration still says so
  secondary_.Start();
  ExpectPrimary(secondary_);
  EXPECT_TRUE(secondary_.Data() == file_.bytes());
}

TEST_F(PromotionTest, OtherSecondariesGoOnWithoutACopy) {
  Machine third(world_, "third", "primary");
  BeginStreaming();
  third.Start();
  RunUntilEqual(primary_, third);
  primary_.Stop();
  third.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  Commit(secondary_, 3);
  third.SetUpstream("secondary");
  third.Start();
  RunUntilEqual(secondary_, third);
  RunUntilState(third, "streaming");
  EXPECT_EQ(third.Status().generation(), 2u);
  EXPECT_FALSE(third.disk().Exists("/third/Data.fs.old"));
}

TEST_F(PromotionTest, ItsOwnFollowersGoOnWithIt) {
  Machine third(world_, "third", "secondary");
  BeginStreaming();
  third.Start();
  RunUntilEqual(primary_, third);
  primary_.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  Commit(secondary_, 3);
  RunUntilEqual(secondary_, third);
  EXPECT_TRUE(world_.RunUntil([&] { return third.Status().generation() == 2; }));
}

TEST_F(PromotionTest, AnOldPrimaryWithNothingExtraFollows) {
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

TEST_F(PromotionTest, OnlyAPrimaryThatHasSomebodyToFollowIsDemoted) {
  BeginStreaming();
  EXPECT_THAT(primary_.Demote().message(), HasSubstr("replicate-from"));
  EXPECT_THAT(secondary_.Demote().message(), HasSubstr("is a secondary"));
  EXPECT_TRUE(primary_.serving());
}

TEST_F(PromotionTest, NobodyIsDemotedWhoseFileIsWritten) {
  BeginStreaming();
  ExpectPromoted(secondary_.Promote(kForce));
  auto lock = secondary_.disk().OpenForWriting("/secondary/Data.fs.lock");
  ASSERT_TRUE(lock.ok() && (*lock)->LockExclusively().ok());
  EXPECT_TRUE(secondary_.Demote().ok());
  RunUntilState(secondary_, "stopped");
  EXPECT_THAT(secondary_.Status().error().message(), HasSubstr("lock"));
  EXPECT_TRUE(secondary_.Data() == file_.bytes());
}

TEST_F(PromotionTest, AnOldPrimaryWithMoreIsDivergedAndKept) {
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

TEST_F(PromotionTest, AStalePrimaryLearnsOfItFromAFollowerOfTheNewOne) {
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
  EXPECT_TRUE(secondary_.serving());
}

TEST_F(PromotionTest, TwoPrimariesOfOneGenerationAreAConflictThatStopsBothSides) {
  Machine third(world_, "third", "primary");
  BeginStreaming();
  third.Start();
  RunUntilEqual(primary_, third);
  RunUntilState(third, "streaming");
  primary_.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  EXPECT_EQ(third.Promote(kMustBeGone).result(), Promoted::RESULT_PROMOTED);
  ExpectPrimary(third);
  third.Stop();
  third.SetUpstream("secondary");
  third.Start();
  RunUntilState(third, "diverged");
  RunUntilState(secondary_, "superseded");
  EXPECT_FALSE(secondary_.serving());
  EXPECT_THAT(third.Status().error().message(), HasSubstr("two primaries"));
}

}  // namespace
}  // namespace zrs::storage
