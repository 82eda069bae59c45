// When a secondary must not become a primary, or cannot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/promotion_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;

class PromotionRefusedTest : public PromotionTest {
 protected:
  // Ends when the test says so; each run counts.
  struct FenceByHand {
    int begun = 0;
    absl::AnyInvocable<void(absl::Status)> done;
  };
  // A promotion whose asker goes away while the command runs. The primary is down then.
  void GiveUpDuring(FenceByHand& fence) {
    secondary_.SetFence([&fence](absl::AnyInvocable<void(absl::Status)> done) {
      ++fence.begun;
      fence.done = std::move(done);
    });
    BeginStreaming();
    primary_.Stop();
    bool wanted = true;
    std::optional<Promoted> given_up;
    secondary_.BeginPromote(kMustBeGone, wanted, given_up);
    EXPECT_TRUE(world_.RunUntil([&] { return fence.begun == 1; }));
    wanted = false;
    ASSERT_TRUE(world_.RunUntil([&] { return given_up.has_value(); }));
    EXPECT_EQ(given_up->result(), Promoted::RESULT_REFUSED);
    EXPECT_TRUE(secondary_.Status().has_fencing_since());
  }
};

TEST_F(PromotionRefusedTest, IsRefusedWhileTheUpstreamIsThere) {
  BeginStreaming();
  ExpectRefused(secondary_.Promote(kMustBeGone), "can be reached (it is being followed)");
  Commit(primary_);
  RunUntilEqual(primary_, secondary_);
}

TEST_F(PromotionRefusedTest, IsRefusedWhileTheUpstreamIsThereAndRefusesThisFollower) {
  BeginStreaming();
  secondary_.Stop();
  primary_.SetMaxFollowers(0);
  primary_.Stop();
  primary_.Start();
  secondary_.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().upstream().has_last_error(); }));
  ExpectRefused(secondary_.Promote(kMustBeGone), "can be reached (it says: ");
}

TEST_F(PromotionRefusedTest, IsRefusedWhenTheUpstreamIsBackBeforeItWasAskedAgain) {
  BeginStreaming();
  primary_.Stop();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().state() == "connecting"; }));
  world_.RunFor(absl::Seconds(8));  // it is asked ever more seldom
  primary_.Start();
  ExpectRefused(secondary_.Promote(kMustBeGone), "can be reached");
}

TEST_F(PromotionRefusedTest, IsRefusedBeforeTheFirstCopyIsComplete) {
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

TEST_F(PromotionRefusedTest, IsRefusedWhilePaused) {
  BeginStreaming();
  secondary_.Pause();
  ExpectRefused(secondary_.Promote(kForce), "zrs resume");
  secondary_.Resume();
}

TEST_F(PromotionRefusedTest, DoesNotWaitForAnUpstreamThatIsLost) {
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

TEST_F(PromotionRefusedTest, DoesNotWaitWhereTheUpstreamHasStoppedWithMore) {
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

TEST_F(PromotionRefusedTest, IsGivenUpWhenNobodyWaitsForIt) {
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

TEST_F(PromotionRefusedTest, IsGivenUpWhenTheProcessStops) {
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

TEST_F(PromotionRefusedTest, TheFenceHasToSucceed) {
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

// As by Ctrl-C: the command goes on, and is not run twice at once.
TEST_F(PromotionRefusedTest, AFenceThatRunsStillIsAwaited) {
  FenceByHand fence;
  GiveUpDuring(fence);
  const bool still_wanted = true;
  std::optional<Promoted> answer;
  secondary_.BeginPromote(kMustBeGone, still_wanted, answer);
  world_.RunFor(absl::Seconds(10));
  EXPECT_FALSE(answer.has_value());
  EXPECT_EQ(fence.begun, 1);
  fence.done(absl::OkStatus());
  EXPECT_TRUE(world_.RunUntil([&] { return answer.has_value(); }));
  ExpectPromoted(answer.value_or(Promoted()));
  EXPECT_EQ(fence.begun, 1);
  EXPECT_FALSE(secondary_.Status().has_fencing_since());
}

// What it fenced may have come back since.
TEST_F(PromotionRefusedTest, AFenceThatHasEndedForNobodyCountsNoMore) {
  for (const absl::Status& of_then : {absl::OkStatus(), absl::UnknownError("exit code 3")}) {
    FenceByHand fence;
    GiveUpDuring(fence);
    fence.done(of_then);
    EXPECT_FALSE(secondary_.Status().has_fencing_since());
    primary_.Start();
    RunUntilState(secondary_, "streaming");
    primary_.Stop();
    bool still_wanted = true;
    std::optional<Promoted> answer;
    secondary_.BeginPromote(kMustBeGone, still_wanted, answer);
    EXPECT_TRUE(world_.RunUntil([&] { return fence.begun == 2; }));
    EXPECT_FALSE(answer.has_value());
    still_wanted = false;
    EXPECT_TRUE(world_.RunUntil([&] { return answer.has_value(); }));
    fence.done(absl::OkStatus());
    secondary_.Stop();
  }
}

TEST_F(PromotionRefusedTest, WhereTheStateCannotBeWrittenNothingIsChanged) {
  BeginStreaming();
  bool fenced = false;
  primary_.Stop();
  secondary_.Stop();
  secondary_.SetFence([&](absl::AnyInvocable<void(absl::Status)> done) {
    fenced = true;
    done(absl::OkStatus());
  });
  secondary_.Start();
  RunUntilState(secondary_, "connecting");
  secondary_.disk().SetCapacity(0);
  ExpectRefused(secondary_.Promote(kMustBeGone), "disk full");
  EXPECT_FALSE(fenced);
  secondary_.disk().SetCapacity(UINT64_MAX);
  primary_.Start();
  Commit(primary_);
  RunUntilEqual(primary_, secondary_);
}

TEST_F(PromotionRefusedTest, WhereTheDiskIsFullSinceTheFenceItStaysASecondary) {
  BeginStreaming();
  primary_.Stop();
  secondary_.Stop();
  secondary_.SetFence([&](absl::AnyInvocable<void(absl::Status)> done) {
    secondary_.disk().SetCapacity(0);
    done(absl::OkStatus());
  });
  secondary_.Start();
  RunUntilState(secondary_, "connecting");
  EXPECT_EQ(secondary_.Promote(kMustBeGone).result(), Promoted::RESULT_FAILED);
  EXPECT_EQ(secondary_.Status().role(), "secondary");
  secondary_.disk().SetCapacity(UINT64_MAX);
  primary_.Start();
  Commit(primary_);
  RunUntilEqual(primary_, secondary_);
}

// After a failed sync nothing of that file is trusted, until a person has looked.
TEST_F(PromotionRefusedTest, ASyncThatFailsMeanwhileStopsIt) {
  BeginStreaming();
  secondary_.Stop();
  secondary_.SetFence([&](absl::AnyInvocable<void(absl::Status)> done) {
    secondary_.FailSyncsOf("/state/secondary.state.new");
    done(absl::OkStatus());
  });
  secondary_.Start();
  RunUntilState(secondary_, "streaming");
  primary_.Stop();
  EXPECT_EQ(secondary_.Promote(kMustBeGone).result(), Promoted::RESULT_FAILED);
  secondary_.disk().SetHook(nullptr);
  primary_.Start();
  world_.RunFor(absl::Seconds(30));
  EXPECT_EQ(secondary_.Status().state(), "stopped");
  EXPECT_EQ(secondary_.Status().role(), "secondary");
  secondary_.Stop();
  secondary_.Start();
  RunUntilState(secondary_, "streaming");
  EXPECT_EQ(secondary_.Status().role(), "secondary");
}

TEST_F(PromotionRefusedTest, OfAFileThatSomebodyHasTakenAway) {
  BeginStreaming();
  primary_.Stop();
  ASSERT_TRUE(secondary_.disk().Rename("/secondary/Data.fs", "/secondary/elsewhere").ok());
  ExpectRefused(secondary_.Promote(kMustBeGone), "taken it away");
  secondary_.disk().SetContents("/secondary/Data.fs", file_.bytes());
  ExpectRefused(secondary_.Promote(kForce), "another file in its place");
}

TEST_F(PromotionRefusedTest, OfACopyThatWasBegunAnew) {
  file_.AddMany(5000, 900);
  Begin();
  RunUntilState(secondary_, "streaming");
  secondary_.Stop();
  ASSERT_TRUE(secondary_.disk().Remove("/secondary/Data.fs").ok());
  secondary_.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Size() > 200'000; }));
  world_.network().Block("primary", "secondary", absl::Minutes(30));
  world_.network().Cut("primary", "secondary", /*half_open=*/false);
  ExpectRefused(secondary_.Promote(kForce), "not complete");
}

// What it said when it stopped is of no worth once it was there again.
TEST_F(PromotionRefusedTest, DoesNotWaitForAnUpstreamThatWasStoppedInOrderAndStartedSince) {
  BeginStreaming();
  primary_.Stop();
  RunUntilState(secondary_, "connecting");
  primary_.SetMaxFollowers(0);
  primary_.Start();
  Commit(primary_, 3);
  world_.RunFor(absl::Minutes(2));
  world_.network().Block("primary", "secondary", absl::Minutes(5));
  ExpectRefused(secondary_.Promote(kWait), "was lost, and not ended in order");
}

TEST_F(PromotionRefusedTest, BehindASecondaryThePrimaryMayBeWell) {
  Machine third(world_, "third", "secondary");
  BeginStreaming();
  third.Start();
  RunUntilEqual(primary_, third);
  RunUntilState(third, "streaming");
  EXPECT_THAT(third.Promote(kWait).message(), HasSubstr("is a secondary itself")) << "and there is no end of it";
  secondary_.Stop();
  EXPECT_THAT(third.Promote(kMustBeGone).message(), HasSubstr("was a secondary itself"));
  EXPECT_THAT(third.Promote(kWait).message(), HasSubstr("is a secondary itself"));
  third.Stop();
  third.Start();
  RunUntilState(third, "connecting");
  EXPECT_THAT(third.Promote(kMustBeGone).message(), HasSubstr("was a secondary itself"));
  EXPECT_EQ(third.Promote(kForce).result(), Promoted::RESULT_PROMOTED);
}

TEST_F(PromotionRefusedTest, AnUpstreamThatHangsIsGone) {
  BeginStreaming();
  primary_.HoldStrand(absl::Seconds(30));
  world_.RunFor(absl::Seconds(1));
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  world_.RunFor(absl::Seconds(30));
}

TEST_F(PromotionRefusedTest, IsStoppedWhenItHasJustBeenRefused) {
  BeginStreaming();
  std::optional<Promoted> answer;
  const bool wanted = false;
  int stopped = 0;
  secondary_.BeginPromote(kMustBeGone, wanted, answer);
  secondary_.BeginStop(absl::Seconds(10), stopped);
  EXPECT_TRUE(world_.RunUntil([&] { return stopped == 1; }));
  EXPECT_TRUE(answer.has_value());
  secondary_.Stop();
}

}  // namespace
}  // namespace zrs::storage
