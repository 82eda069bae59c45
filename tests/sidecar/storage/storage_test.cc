// A storage as a whole, on a simulated machine and network: what it does about each thing that can be wrong.
#include "sidecar/storage/storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/storage_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using ::testing::HasSubstr;
using tests::FileBuilder;

TEST_F(StorageTest, ACopyIsMadeAndFollows) {
  Machine primary(world_, "primary", "");
  Machine secondary(world_, "secondary", "primary");
  primary.Write(file_.bytes());
  primary.Start();
  secondary.Start();
  RunUntilEqual(primary, secondary);
  file_.AddMany(5, 20000);
  primary.Write(file_.bytes());
  RunUntilEqual(primary, secondary);
  RunUntilState(secondary, "streaming");
  const auto caught_up = [&] {
    const v1::StorageStatus status = secondary.Status();
    return status.has_lag_bytes() && status.lag_bytes() == 0 && status.lag_seconds() == 0;
  };
  EXPECT_TRUE(world_.RunUntil(caught_up));
  EXPECT_TRUE(world_.RunUntil([&] { return primary.Status().followers(0).acknowledged() == file_.size(); }));
  EXPECT_EQ(primary.Status().database_id(), secondary.Status().database_id());
  EXPECT_TRUE(secondary.serving());
}

TEST_F(StorageTest, APrimaryWaitsForItsFile) {
  Machine primary(world_, "primary", "");
  primary.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return primary.Status().has_error(); }));
  EXPECT_EQ(primary.Status().state(), "starting");
  EXPECT_FALSE(primary.serving());
  primary.Write("");
  primary.Write(file_.bytes());
  RunUntilState(primary, "streaming");
  EXPECT_FALSE(primary.Status().has_error());
  EXPECT_TRUE(primary.serving());
}

TEST_F(StorageTest, AFileThatNoStateTellsOfIsLeftAlone) {
  Machine secondary(world_, "secondary", "primary");
  secondary.Write(file_.bytes() + "tail");
  secondary.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary.Status().has_error(); }));
  EXPECT_EQ(secondary.Status().state(), "proving");
  EXPECT_THAT(secondary.Status().error().message(), HasSubstr("not known to be a copy of anything"));
  EXPECT_EQ(secondary.Data(), file_.bytes() + "tail");
}

TEST_F(StorageTest, ASecondarysCopyIsNoPrimary) {
  Machine primary(world_, "primary", "");
  primary.Write(file_.bytes());
  primary.Start();
  {
    Machine secondary(world_, "secondary", "primary");
    secondary.Start();
    RunUntilEqual(primary, secondary);
    secondary.Stop();
    secondary.SetUpstream("");
    secondary.Start();
    RunUntilState(secondary, "stopped");
    EXPECT_THAT(secondary.Status().error().message(), HasSubstr("secondary's copy"));
  }
}

TEST_F(StorageTest, AStateOfAnotherMachineIsRefused) {
  Machine primary(world_, "primary", "");
  primary.Write(file_.bytes());
  primary.Start();
  RunUntilState(primary, "streaming");
  primary.Stop();
  primary.SetMachineId("a clone");
  primary.Start();
  RunUntilState(primary, "stopped");
  EXPECT_THAT(primary.Status().error().message(), HasSubstr("another machine"));
}

TEST_F(StorageTest, DamageIsReportedWithItsPositionAndNotShipped) {
  Machine primary(world_, "primary", "");
  Machine secondary(world_, "secondary", "primary");
  std::string damaged = file_.bytes();
  const uint64_t second = file_.boundaries()[1].offset;
  damaged[second + filestorage::kTransactionStatusOffset] = 'x';
  primary.Write(damaged);
  primary.Start();
  secondary.Start();
  RunUntilState(primary, "stopped");
  EXPECT_THAT(primary.Status().error().message(), HasSubstr(std::to_string(second)));
  world_.RunFor(absl::Seconds(30));
  EXPECT_EQ(file_.bytes().substr(0, secondary.Data().size()), secondary.Data());
  EXPECT_LE(secondary.Data().size(), second);
}

TEST_F(StorageTest, ATransactionThatSaysItIsFinishedAndIsNotIsReported) {
  Machine primary(world_, "primary", "");
  std::string damaged = file_.bytes();
  // The length's third byte from the top: it now reaches far past the end of the file.
  const uint64_t fifth = file_.boundaries()[4].offset;
  damaged[fifth + 10] = 1;
  primary.Write(damaged);
  primary.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return primary.Status().has_error(); }));
  EXPECT_FALSE(primary.serving());
  EXPECT_EQ(primary.Status().committed_end(), fifth);
  EXPECT_THAT(primary.Status().error().message(), HasSubstr(std::to_string(fifth)));
  primary.Write(file_.bytes());
  EXPECT_TRUE(world_.RunUntil([&] { return primary.Status().committed_end() == file_.size(); }));
  EXPECT_TRUE(primary.serving());
}

TEST_F(StorageTest, AFullDiskHealsByItself) {
  Machine primary(world_, "primary", "");
  Machine secondary(world_, "secondary", "primary");
  primary.Write(file_.bytes());
  primary.Start();
  secondary.disk().SetCapacity(file_.size() / 2);
  secondary.Start();
  RunUntilState(secondary, "disk-full");
  EXPECT_FALSE(secondary.serving());
  secondary.disk().SetCapacity(10 * file_.size());
  RunUntilEqual(primary, secondary);
  RunUntilState(secondary, "streaming");
  EXPECT_FALSE(secondary.Status().has_error());
}

// Each attempt fails again: they become rare, and the trouble is one and the same all the while.
TEST_F(StorageTest, ADiskThatStaysFullIsTriedEverMoreSeldom) {
  Machine primary(world_, "primary", "");
  Machine secondary(world_, "secondary", "primary");
  primary.Write(file_.bytes());
  primary.Start();
  secondary.disk().SetCapacity(file_.size() / 2);
  secondary.Start();
  RunUntilState(secondary, "disk-full");
  const std::string since = secondary.Status().error().since();
  world_.RunFor(absl::Minutes(1));
  const uint64_t before = world_.network().dials();
  world_.RunFor(absl::Minutes(2));
  EXPECT_LE(world_.network().dials() - before, 30u);
  EXPECT_EQ(secondary.Status().state(), "disk-full");
  EXPECT_EQ(secondary.Status().error().since(), since);
  secondary.disk().SetCapacity(10 * file_.size());
  RunUntilEqual(primary, secondary);
  RunUntilState(secondary, "streaming");
  EXPECT_FALSE(secondary.Status().has_error());
}

TEST_F(StorageTest, WaitWakesUpWhenAFollowerConnectsThatHasEverything) {
  Machine primary(world_, "primary", "");
  Machine secondary(world_, "secondary", "primary");
  primary.Write(file_.bytes());
  primary.Start();
  secondary.Start();
  RunUntilEqual(primary, secondary);
  RunUntilState(secondary, "streaming");
  EXPECT_EQ(primary.Wait(1, absl::Seconds(10)).result(), v1::WaitResponse::RESULT_DONE);
  secondary.Stop();
  EXPECT_EQ(primary.Wait(0, absl::InfiniteDuration()).result(), v1::WaitResponse::RESULT_NO_FOLLOWER);
  secondary.SetKeepAlive(absl::Hours(1));
  secondary.Start();
  EXPECT_EQ(primary.Wait(0, absl::Seconds(20)).result(), v1::WaitResponse::RESULT_DONE);
  EXPECT_THAT(primary.Wait(2, absl::Seconds(1)).message(), HasSubstr("on 1 follower(s), and 2 were wanted"));
}

TEST_F(StorageTest, AFailedSyncStopsASecondaryForGood) {
  Machine primary(world_, "primary", "");
  Machine secondary(world_, "secondary", "primary");
  primary.Write(file_.bytes());
  primary.Start();
  secondary.Start();
  RunUntilEqual(primary, secondary);
  secondary.FailSyncsOf("/secondary/Data.fs");
  file_.AddMany(1, 10);
  primary.Write(file_.bytes());
  RunUntilState(secondary, "stopped");
  const v1::StorageStatus status = primary.Status();
  for (const v1::Follower& follower : status.followers()) {
    EXPECT_LT(follower.acknowledged(), file_.size());
  }
  world_.RunFor(absl::Minutes(1));
  EXPECT_EQ(secondary.Status().state(), "stopped");
}

TEST_F(StorageTest, AFailedSyncStopsAPrimaryBeforeItSends) {
  Machine primary(world_, "primary", "");
  Machine secondary(world_, "secondary", "primary");
  primary.Write(file_.bytes());
  primary.Start();
  secondary.Start();
  RunUntilEqual(primary, secondary);
  primary.FailSyncsOf("/primary/Data.fs");
  const std::string before = file_.bytes();
  file_.AddMany(1, 10);
  primary.Write(file_.bytes());
  RunUntilState(primary, "stopped");
  EXPECT_EQ(secondary.Data(), before);
}

TEST_F(StorageTest, AnotherDatabaseIsRefused) {
  Machine primary(world_, "primary", "");
  Machine other(world_, "other", "");
  Machine secondary(world_, "secondary", "primary");
  primary.Write(file_.bytes());
  other.Write(file_.bytes());
  primary.Start();
  other.Start();
  secondary.Start();
  RunUntilEqual(primary, secondary);
  secondary.Stop();
  secondary.SetUpstream("other");
  secondary.Start();
  // The cause is at the peer: it is asked again.
  EXPECT_TRUE(world_.RunUntil([&] { return secondary.Status().has_error(); }));
  EXPECT_EQ(secondary.Status().state(), "connecting");
  EXPECT_FALSE(secondary.serving());
  EXPECT_EQ(secondary.Data(), file_.bytes());
  EXPECT_FALSE(secondary.Status().error().remedy().empty());
}

// Whose identity is settled: nothing is left but to give the copy's up.
TEST_F(PairTest, AnotherKnownDatabaseIsRefusedWithTheNameOfTheOwnStateFile) {
  Machine other(world_, "other", "");
  Machine others_copy(world_, "others-copy", "other");
  other.Write(file_.bytes());
  other.Start();
  others_copy.Start();
  Begin();
  RunUntilEqual(other, others_copy);
  RunUntilState(others_copy, "streaming");
  secondary_.Stop();
  secondary_.SetUpstream("other");
  secondary_.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().has_error(); }));
  EXPECT_THAT(secondary_.Status().error().remedy(), HasSubstr("state file /state/secondary.state away"));
}

TEST_F(PairTest, ACopyThatHasLostWhatWasDurableSaysWhichStateFileToMoveAway) {
  Begin();
  secondary_.Stop();
  const std::string shorter = file_.bytes().substr(0, file_.bytes().size() - 1);
  secondary_.Write(shorter);
  secondary_.Start();
  RunUntilState(secondary_, "stopped");
  EXPECT_THAT(secondary_.Status().error().message(), HasSubstr("state file /state/secondary.state away"));
  EXPECT_EQ(secondary_.Data(), shorter);
}

TEST_F(StorageTest, ACopyWithExtraTransactionsIsDiverged) {
  Machine primary(world_, "primary", "");
  Machine secondary(world_, "secondary", "primary");
  primary.Write(file_.bytes());
  primary.Start();
  secondary.Start();
  RunUntilEqual(primary, secondary);
  secondary.Stop();
  FileBuilder ahead = file_;
  secondary.Write(ahead.AddMany(1, 10).bytes());
  secondary.Start();
  RunUntilState(secondary, "diverged");
  EXPECT_EQ(secondary.Data(), ahead.bytes());
  EXPECT_EQ(primary.Data(), file_.bytes());
}

TEST_F(StorageTest, ACopyWhoseLastTransactionDiffersIsDiverged) {
  Machine primary(world_, "primary", "");
  Machine secondary(world_, "secondary", "primary");
  primary.Write(file_.bytes());
  primary.Start();
  secondary.Start();
  RunUntilEqual(primary, secondary);
  secondary.Stop();
  primary.Stop();
  // Both grow by another transaction of the same size.
  FileBuilder one = file_;
  FileBuilder two = file_;
  tests::TransactionSpec spec;
  spec.tid = tests::TestTid(1000);
  spec.user = "one";
  primary.Write(one.Add(spec).bytes());
  spec.user = "two";
  secondary.Write(two.Add(spec).bytes());
  primary.Start();
  secondary.Start();
  RunUntilState(secondary, "diverged");
  EXPECT_EQ(secondary.Data(), two.bytes());
}

TEST_F(StorageTest, ASecondSidecarOnTheSameFileIsRefused) {
  Machine primary(world_, "primary", "");
  primary.Write(file_.bytes());
  primary.Start();
  RunUntilState(primary, "streaming");
  auto file = primary.disk().OpenForReading("/primary/Data.fs");
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(absl::IsUnavailable((*file)->LockExclusively()));
}

TEST_F(StorageTest, FollowersBeyondTheLimitAreRefused) {
  Machine primary(world_, "primary", "");
  primary.SetMaxFollowers(1);
  Machine first(world_, "first", "primary");
  Machine second(world_, "second", "primary");
  primary.Write(file_.bytes());
  primary.Start();
  first.Start();
  RunUntilEqual(primary, first);
  second.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return second.Status().has_error(); }));
  EXPECT_THAT(second.Status().error().remedy(), HasSubstr("max-followers"));
  EXPECT_EQ(primary.Status().followers_size(), 1);
  first.Stop();
  RunUntilEqual(primary, second);
}

TEST_F(StorageTest, AChainRelaysBytesAndHeartbeats) {
  Machine primary(world_, "primary", "");
  Machine middle(world_, "middle", "primary");
  Machine last(world_, "last", "middle");
  primary.Write(file_.bytes());
  primary.Start();
  middle.Start();
  last.Start();
  RunUntilEqual(primary, last);
  EXPECT_TRUE(world_.RunUntil([&] { return last.Status().has_lag_bytes(); }));
  // With the primary gone, what the last one hears of it grows old, though its own upstream is there.
  primary.Stop();
  EXPECT_TRUE(world_.RunUntil([&] { return !last.Status().has_lag_bytes(); }));
  EXPECT_TRUE(last.Status().upstream().connected());
}

TEST_F(StorageTest, WaitAnswersWhenAFollowerHasIt) {
  Machine primary(world_, "primary", "");
  Machine secondary(world_, "secondary", "primary");
  primary.Write(file_.bytes());
  primary.Start();
  RunUntilState(primary, "streaming");
  EXPECT_EQ(primary.Wait(0, absl::Seconds(2)).result(), v1::WaitResponse::RESULT_NO_FOLLOWER);
  secondary.Start();
  RunUntilEqual(primary, secondary);
  file_.AddMany(1, 10);
  primary.WriteUnnoticed(file_.bytes());
  EXPECT_EQ(primary.Wait(1, absl::Seconds(10)).result(), v1::WaitResponse::RESULT_DONE);
  EXPECT_TRUE(secondary.Data() == file_.bytes());
  EXPECT_EQ(primary.Wait(2, absl::Seconds(2)).result(), v1::WaitResponse::RESULT_TIMEOUT);
  EXPECT_EQ(secondary.Wait(1, absl::Seconds(2)).result(), v1::WaitResponse::RESULT_NOT_PRIMARY);
}

TEST_F(StorageTest, StoppingPublishesWhatIsCommitted) {
  Machine primary(world_, "primary", "");
  Machine secondary(world_, "secondary", "primary");
  primary.Write(file_.bytes());
  primary.Start();
  secondary.Start();
  RunUntilEqual(primary, secondary);
  file_.AddMany(1, 10);
  primary.WriteUnnoticed(file_.bytes());
  primary.Stop();
  EXPECT_EQ(secondary.Data(), file_.bytes());
}

}  // namespace
}  // namespace zrs::storage
