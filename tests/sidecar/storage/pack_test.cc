// Packs are followed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;

TEST_F(PackTest, IsFollowedAndTheOldFileKept) {
  Begin();
  const std::string before = primary_.Status().epoch();
  primary_.Pack(Pack(file_).bytes());
  RunUntilFollowed();
  EXPECT_NE(primary_.Status().epoch(), before);
  EXPECT_TRUE(OldOfSecondary() == file_.bytes());
}

TEST_F(PackTest, WhatIsCommittedAfterwardsArrives) {
  Begin();
  FileBuilder packed = Pack(file_);
  primary_.Pack(packed.bytes());
  RunUntilFollowed();
  primary_.Write(packed.AddMany(3, 500).bytes());
  RunUntilFollowed();
}

TEST_F(PackTest, TransactionsThatThePackTookInBeforeAnybodySawThem) {
  Begin();
  primary_.WriteUnnoticed(file_.AddMany(5, 100).bytes());
  primary_.Pack(Pack(file_, 4).bytes());
  RunUntilFollowed();
}

TEST_F(PackTest, WhileThePrimarysSidecarIsDown) {
  Begin();
  primary_.Stop();
  file_.AddMany(2, 100);
  primary_.WriteUnnoticed(file_.bytes());
  primary_.Pack(Pack(file_).AddMany(2, 100).bytes());
  primary_.Start();
  RunUntilFollowed();
}

TEST_F(PackTest, WhileThePrimarysSidecarIsDownThatLeavesTheBeginningAsItWas) {
  file_ = Pack(file_, 1);
  Begin();
  primary_.Stop();
  // The state tells of an earlier end than the follower has: as after a kill.
  const std::string state = primary_.disk().Contents("/state/primary.state");
  primary_.Start();
  const size_t packed_part = file_.boundaries().size() - 1;
  primary_.Write(file_.AddMany(6, 100).bytes());
  RunUntilEqual(primary_, secondary_);
  primary_.Stop();
  primary_.disk().SetContents("/state/primary.state", state);
  FileBuilder packed = FileBuilder();
  for (size_t n = 1; n < file_.boundaries().size(); ++n) {
    if (n == packed_part + 2) continue;
    const size_t size = n <= packed_part ? 700 : 90;
    packed.Add({.tid = file_.boundaries()[n].tid,
                .status = filestorage::kStatusPacked,
                .records = {{.oid = n, .data = std::string(size, 'p')}}});
  }
  primary_.Pack(packed.bytes());
  primary_.Start();
  RunUntilFollowed();
}

TEST_F(PackTest, TwiceWhileNobodyIsConnected) {
  Begin();
  secondary_.Stop();
  FileBuilder packed = Pack(file_).AddMany(4, 100);
  primary_.Pack(packed.bytes());
  EXPECT_TRUE(world_.RunUntil([&] { return primary_.serving(); }));
  primary_.Pack(Pack(packed, 2).bytes());
  EXPECT_TRUE(world_.RunUntil([&] { return primary_.serving(); }));
  secondary_.Start();
  RunUntilFollowed();
}

TEST_F(PackTest, TwiceInQuickSuccession) {
  Begin();
  const FileBuilder packed = Pack(file_, 2);
  primary_.Pack(packed.bytes());
  primary_.Pack(Pack(packed, 2).bytes());
  RunUntilFollowed();
}

// The last of them has nothing that the file had which was followed, but what it was packed from is proved.
TEST_F(PackTest, AgainAndAgainWithCommitsBetween) {
  for (const bool seen_between : {false, true}) {
    Begin();
    FileBuilder now = Pack(file_, 2).AddMany(3, 100);
    primary_.Pack(now.bytes());
    if (seen_between) world_.RunFor(absl::Milliseconds(1));
    now = Pack(now, 50).AddMany(3, 100);
    primary_.Pack(now.bytes());
    if (seen_between) {
      world_.RunFor(absl::Milliseconds(1));
      now = Pack(now, 50).AddMany(3, 100);
      primary_.Pack(now.bytes());
    }
    RunUntilFollowed();
    primary_.Stop();
    secondary_.Stop();
    file_ = now;
  }
}

TEST_F(PackTest, AnotherPackWhileTheFirstIsBeingCopied) {
  Begin();
  const FileBuilder packed = Pack(file_, 2);
  primary_.Pack(packed.bytes());
  RunUntilState(secondary_, "rebuilding");
  primary_.Pack(Pack(packed, 2).bytes());
  RunUntilFollowed();
  EXPECT_TRUE(OldOfSecondary() == file_.bytes()) << "the first packed file never was the live one";
}

TEST_F(PackTest, TheCopyStaysAsItIsWhileTheNewFileGrows) {
  Begin();
  primary_.Pack(Pack(file_, 2).bytes());
  RunUntilState(secondary_, "rebuilding");
  EXPECT_TRUE(secondary_.Data() == file_.bytes());
  EXPECT_TRUE(secondary_.Status().has_progress());
  RunUntilFollowed();
}

// Of what is committed meanwhile the heartbeats alone tell.
TEST_F(PackTest, WhileTheNewFileGrowsItIsNeverSaidThatNothingIsMissing) {
  file_.AddMany(3000, 900);
  Begin();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.serving() && secondary_.Status().lag_bytes() == 0; }));
  FileBuilder packed = Pack(file_, 2);
  primary_.Pack(packed.bytes());
  EXPECT_TRUE(world_.RunUntil([&] { return !secondary_.serving(); }));
  secondary_.HoldIo(absl::Seconds(10));
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().state() == "rebuilding" && secondary_.serving(); }));
  primary_.Write(packed.AddMany(1, 100).bytes());
  bool counted = false;
  for (v1::StorageStatus now = secondary_.Status(); now.state() == "rebuilding"; now = secondary_.Status()) {
    EXPECT_EQ(now.has_lag_bytes(), now.has_lag_seconds());
    ASSERT_FALSE(now.has_lag_bytes() && now.lag_bytes() == 0) << now.DebugString();
    counted = counted || now.has_lag_bytes();
    world_.RunFor(absl::Milliseconds(50));
  }
  EXPECT_TRUE(counted);
  RunUntilFollowed();
}

TEST_F(PackTest, AFirstCopyThatItFallsIntoIsNotServingUntilItIsComplete) {
  file_.AddMany(60, 300'000);
  secondary_.SetMaxLag(absl::Hours(24 * 365 * 100));
  primary_.Write(file_.bytes());
  primary_.Start();
  RunUntilState(primary_, "streaming");
  secondary_.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().committed_end() > file_.boundaries()[1].offset; }));
  EXPECT_LT(secondary_.Status().committed_end(), file_.size());
  secondary_.HoldIo(absl::Seconds(2));
  const std::string epoch = primary_.Status().epoch();
  primary_.Pack(Pack(file_, 2).AddMany(60, 300'000).bytes());
  int looks = 0;
  const auto look = [&] {
    const v1::StorageStatus now = secondary_.Status();
    const v1::StorageStatus whole = primary_.Status();
    if (now.epoch() != epoch && now.committed_end() == whole.committed_end()) return true;
    EXPECT_FALSE(secondary_.serving()) << now.DebugString();
    if (now.state() == "rebuilding") {
      EXPECT_FALSE(now.has_lag_seconds()) << now.DebugString();
      if (looks++ == 0) secondary_.HoldIo(absl::Seconds(5));
    }
    return false;
  };
  EXPECT_TRUE(world_.RunUntil(look));
  EXPECT_GT(looks, 1);
  RunUntilFollowed();
}

TEST_F(PackTest, ARestartOfTheSecondaryGoesOnWithThePartThatIsThere) {
  file_.AddMany(3000, 900);
  Begin();
  const FileBuilder packed = Pack(file_, 2);
  primary_.Pack(packed.bytes());
  EXPECT_TRUE(world_.RunUntil(
      [&] { return secondary_.disk().Contents("/secondary/Data.fs.zrs-new").size() > packed.size() / 2; }));
  secondary_.Stop();
  EXPECT_TRUE(secondary_.Data() == file_.bytes());
  secondary_.Start();
  RunUntilState(secondary_, "rebuilding");
  EXPECT_GT(secondary_.Status().progress().bytes(), packed.size() / 3);
  RunUntilFollowed();
}

TEST_F(PackTest, ARestartOfThePrimaryMeanwhile) {
  file_.AddMany(1000, 900);
  Begin();
  primary_.Pack(Pack(file_, 2).bytes());
  RunUntilState(secondary_, "rebuilding");
  primary_.Stop();
  primary_.Start();
  RunUntilFollowed();
}

TEST_F(PackTest, WithoutKeepOldNothingIsKept) {
  secondary_.SetKeepOld(false);
  Begin();
  primary_.Pack(Pack(file_).bytes());
  RunUntilFollowed();
  EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs.old"));
}

TEST_F(PackTest, TheIndexGoesWithTheFileThatItDescribes) {
  Begin();
  secondary_.disk().SetContents("/secondary/Data.fs.index", "of the old file");
  primary_.Pack(Pack(file_).bytes());
  RunUntilFollowed();
  EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs.index"));
}

TEST_F(PackTest, AFileOfSomebodyElseInTheWayIsNotTouched) {
  Begin();
  secondary_.disk().SetContents("/secondary/Data.fs.zrs-new", "precious");
  primary_.Pack(Pack(file_).bytes());
  RunUntilState(secondary_, "stopped");
  EXPECT_THAT(secondary_.Status().error().message(), HasSubstr("in the way"));
  EXPECT_EQ(secondary_.disk().Contents("/secondary/Data.fs.zrs-new"), "precious");
  EXPECT_TRUE(secondary_.Data() == file_.bytes());
}

TEST_F(PackTest, AChainFollows) {
  Machine third(world_, "third", "secondary");
  Begin();
  third.Start();
  RunUntilEqual(primary_, third);
  FileBuilder packed = Pack(file_);
  primary_.Pack(packed.bytes());
  RunUntilFollowed();
  RunUntilEqual(primary_, third);
  primary_.Write(packed.AddMany(2, 100).bytes());
  RunUntilEqual(primary_, third);
  EXPECT_TRUE(third.disk().Contents("/third/Data.fs.old") == file_.bytes());
}

TEST_F(PackTest, AnOldFileOfSomebodyElseIsKept) {
  Begin();
  secondary_.disk().SetContents("/secondary/Data.fs.old", "precious");
  const FileBuilder packed = Pack(file_, 2);
  primary_.Pack(packed.bytes());
  RunUntilFollowed();
  EXPECT_TRUE(OldOfSecondary() == file_.bytes());
  EXPECT_EQ(secondary_.disk().Contents("/secondary/Data.fs.old1"), "precious");
  primary_.Pack(Pack(packed, 2).bytes());
  RunUntilFollowed();
  EXPECT_TRUE(OldOfSecondary() == packed.bytes()) << "our own one goes";
  EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs.old2"));
}

TEST_F(PackTest, AnOldFileThatIsALinkToTheCopyItselfKeepsNothing) {
  Begin();
  secondary_.disk().SetLink("/secondary/Data.fs.old", "Data.fs");
  primary_.Pack(Pack(file_, 2).bytes());
  RunUntilFollowed();
  EXPECT_EQ(secondary_.disk().LinkTarget("/secondary/Data.fs.old"), "");
  EXPECT_TRUE(OldOfSecondary() == file_.bytes()) << "the old bytes are lost";
  EXPECT_EQ(secondary_.disk().LinkTarget("/secondary/Data.fs.old1"), "Data.fs");
}

TEST_F(PackTest, LinksOfOthersUnderTheOldNamesAreKept) {
  Begin();
  secondary_.disk().SetLink("/secondary/Data.fs.old", "/nowhere/x");
  secondary_.disk().SetLink("/secondary/Data.fs.old1", "/nowhere/y");
  const FileBuilder packed = Pack(file_, 2);
  primary_.Pack(packed.bytes());
  RunUntilFollowed();
  EXPECT_TRUE(OldOfSecondary() == file_.bytes());
  EXPECT_EQ(secondary_.disk().LinkTarget("/secondary/Data.fs.old1"), "/nowhere/y");
  EXPECT_EQ(secondary_.disk().LinkTarget("/secondary/Data.fs.old2"), "/nowhere/x");
  // Somebody moves what was kept to a larger disk: the link leads to our own file, which is not enough to remove it.
  secondary_.disk().SetContents("/large/kept", OldOfSecondary());
  ASSERT_TRUE(secondary_.disk().Remove("/secondary/Data.fs.old").ok());
  secondary_.disk().SetLink("/secondary/Data.fs.old", "/large/kept");
  primary_.Pack(Pack(packed, 2).bytes());
  RunUntilFollowed();
  EXPECT_TRUE(OldOfSecondary() == packed.bytes());
  EXPECT_EQ(secondary_.disk().LinkTarget("/secondary/Data.fs.old3"), "/large/kept");
  EXPECT_TRUE(secondary_.disk().Contents("/large/kept") == file_.bytes());
}

TEST_F(PackTest, ACopyThatIsALinkIsReplacedAndWhatItLedToIsKept) {
  Begin();
  secondary_.Stop();
  secondary_.disk().SetContents("/large/real.fs", secondary_.Data());
  ASSERT_TRUE(secondary_.disk().Remove("/secondary/Data.fs").ok());
  secondary_.disk().SetLink("/secondary/Data.fs", "/large/real.fs");
  secondary_.Start();
  primary_.Pack(Pack(file_, 2).bytes());
  RunUntilFollowed();
  EXPECT_EQ(secondary_.disk().LinkTarget("/secondary/Data.fs"), "");
  EXPECT_TRUE(OldOfSecondary() == file_.bytes());
}

TEST_F(PackTest, ADanglingLinkInTheWayOfTheNewFileIsNotTouched) {
  Begin();
  secondary_.disk().SetLink("/secondary/Data.fs.zrs-new", "/nowhere/x");
  primary_.Pack(Pack(file_).bytes());
  RunUntilState(secondary_, "stopped");
  EXPECT_THAT(secondary_.Status().error().message(), HasSubstr("in the way"));
  EXPECT_EQ(secondary_.disk().LinkTarget("/secondary/Data.fs.zrs-new"), "/nowhere/x");
}

TEST_F(PackTest, ACopyThatIsTakenAwayWhileItIsRebuiltIsMadeAnew) {
  file_.AddMany(3000, 900);
  Begin();
  primary_.Pack(Pack(file_, 2).bytes());
  EXPECT_TRUE(
      world_.RunUntil([&] { return secondary_.disk().Contents("/secondary/Data.fs.zrs-new").size() > 100'000; }));
  secondary_.Stop();
  EXPECT_TRUE(secondary_.disk().Remove("/secondary/Data.fs").ok());
  secondary_.Start();
  RunUntilFollowed();
}

TEST_F(PackTest, ASecondaryIsFollowedThroughAPackWhileThePrimaryIsGone) {
  Machine third(world_, "third", "secondary");
  Begin();
  third.Start();
  RunUntilEqual(primary_, third);
  third.Stop();
  primary_.Pack(Pack(file_).bytes());
  RunUntilFollowed();
  primary_.Stop();
  secondary_.Stop();
  secondary_.Start();
  third.Start();
  RunUntilEqual(secondary_, third);
}

TEST_F(PackTest, AWaitGoesOnAcrossAPack) {
  Begin();
  secondary_.HoldIo(absl::Seconds(5));
  primary_.Write(file_.AddMany(1, 100).bytes());
  std::optional<v1::WaitResponse> answer;
  primary_.BeginWait(1, absl::Seconds(30), answer);
  world_.RunFor(absl::Seconds(1));
  primary_.Pack(Pack(file_).bytes());
  EXPECT_TRUE(world_.RunUntil([&] { return answer.has_value(); }));
  EXPECT_EQ(answer->result(), v1::WaitResponse::RESULT_DONE) << answer->message();
}

}  // namespace
}  // namespace zrs::storage
