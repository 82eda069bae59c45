// A file that another takes the place of: packs are followed, everything else stops and asks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/storage_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using tests::FileBuilder;

// What a pack makes of `file`: of its first transactions only each `keep`-th is left, the last one among them, and all
// are marked as packed.
FileBuilder Pack(const FileBuilder& file, size_t keep = 3) {
  FileBuilder packed(file.magic());
  const size_t last = file.boundaries().size() - 1;
  for (size_t n = 1; n <= last; ++n) {
    if (n % keep != last % keep) continue;
    packed.Add({.tid = file.boundaries()[n].tid,
                .status = filestorage::kStatusPacked,
                .records = {{.oid = n, .data = std::string(700, 'p')}}});
  }
  return packed;
}

class PackTest : public StorageTest {
 protected:
  void Begin() {
    primary_.Write(file_.bytes());
    primary_.Start();
    secondary_.Start();
    RunUntilEqual(primary_, secondary_);
  }
  void RunUntilFollowed() {
    EXPECT_TRUE(world_.RunUntil([&] {
      return primary_.Data() == secondary_.Data() && primary_.Status().epoch() == secondary_.Status().epoch() &&
             primary_.serving() && secondary_.serving();
    })) << secondary_.Status().DebugString();
    RunUntilState(secondary_, "streaming");
    EXPECT_EQ(secondary_.Status().database_id(), primary_.Status().database_id());
    EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs.zrs-new"));
  }
  // Nothing is changed at the secondary, and both sides say why.
  void ExpectDiverged(const std::string& copy) {
    RunUntilState(primary_, "diverged");
    RunUntilState(secondary_, "diverged");
    world_.RunFor(absl::Seconds(30));
    EXPECT_TRUE(secondary_.Data() == copy);
    EXPECT_FALSE(primary_.serving());
    EXPECT_FALSE(secondary_.serving());
    for (Machine* machine : {&primary_, &secondary_}) {
      EXPECT_THAT(machine->Status().error().message(), HasSubstr("pack of it"));
      EXPECT_THAT(machine->Status().error().remedy(), Not(IsEmpty()));
    }
    EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs.old"));
  }
  std::string OldOfSecondary() { return secondary_.disk().Contents("/secondary/Data.fs.old"); }

  Machine primary_{world_, "primary", ""};
  Machine secondary_{world_, "secondary", "primary"};
};

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
  primary_.Pack(Pack(file_.AddMany(5, 100), 4).bytes());
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

TEST_F(PackTest, AFollowerThatLagsIsProvedByTheOldFile) {
  Begin();
  secondary_.Stop();
  file_.AddMany(5, 100);
  primary_.Write(file_.bytes());
  world_.RunFor(absl::Seconds(3));
  primary_.Pack(Pack(file_).bytes());
  secondary_.Start();
  RunUntilFollowed();
}

TEST_F(PackTest, AFollowerThatLagsIsProvedAfterARestartOfThePrimaryToo) {
  Begin();
  secondary_.Stop();
  primary_.Write(file_.AddMany(5, 100).bytes());
  world_.RunFor(absl::Seconds(3));
  primary_.Stop();
  primary_.Pack(Pack(file_).bytes());
  primary_.Start();
  secondary_.Start();
  RunUntilFollowed();
}

TEST_F(PackTest, AFollowerThatLagsByTwoPacksStopsAndAsks) {
  Begin();
  secondary_.Stop();
  primary_.Write(file_.AddMany(5, 100).bytes());
  world_.RunFor(absl::Seconds(3));
  const FileBuilder packed = Pack(file_);
  primary_.Pack(packed.bytes());
  EXPECT_TRUE(world_.RunUntil([&] { return primary_.serving(); }));
  world_.RunFor(absl::Seconds(3));
  primary_.Pack(Pack(packed).bytes());
  const std::string copy = secondary_.Data();
  secondary_.Start();
  RunUntilState(secondary_, "diverged");
  EXPECT_TRUE(secondary_.Data() == copy);
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

TEST_F(PackTest, WithoutRoomTheCopyStaysAndItGoesOnWhenThereIsSome) {
  Begin();
  secondary_.disk().SetCapacity(file_.size() + 3000);
  primary_.Pack(Pack(file_, 2).bytes());
  RunUntilState(secondary_, "disk-full");
  EXPECT_THAT(secondary_.Status().error().message(), HasSubstr("free"));
  EXPECT_TRUE(secondary_.Data() == file_.bytes());
  secondary_.disk().SetCapacity(UINT64_MAX);
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

TEST_F(PackTest, AnOlderBackupUnderTheName) {
  Begin();
  primary_.Replace(FileBuilder().AddMany(39, 900).bytes());
  ExpectDiverged(file_.bytes());
}

TEST_F(PackTest, AnOlderBackupUnderTheNameWhileTheSidecarIsDown) {
  Begin();
  primary_.Stop();
  primary_.Replace(FileBuilder().AddMany(39, 900).bytes());
  primary_.Start();
  ExpectDiverged(file_.bytes());
}

TEST_F(PackTest, AnOlderBackupOverTheFile) {
  Begin();
  primary_.Write(FileBuilder().AddMany(39, 900).bytes());
  ExpectDiverged(file_.bytes());
}

TEST_F(PackTest, AnOlderBackupOverTheFileWhileTheSidecarIsDown) {
  Begin();
  primary_.Stop();
  primary_.WriteUnnoticed(FileBuilder().AddMany(39, 900).bytes());
  primary_.Start();
  ExpectDiverged(file_.bytes());
}

TEST_F(PackTest, AnOlderBackupThatGoesOnIsStillNotFollowed) {
  Begin();
  FileBuilder backup = FileBuilder().AddMany(39, 900);
  primary_.Replace(backup.bytes());
  RunUntilState(primary_, "diverged");
  for (uint64_t i = 0; i < 5; ++i) {
    backup.Add({.tid = tests::TestTid(100 + i), .records = {{.oid = 1, .data = "another future"}}});
    primary_.Write(backup.bytes());
    world_.RunFor(absl::Seconds(2));
  }
  ExpectDiverged(file_.bytes());
}

TEST_F(PackTest, TheRightFileBackInItsPlaceHeals) {
  Begin();
  primary_.Replace(FileBuilder().AddMany(39, 900).bytes());
  RunUntilState(primary_, "diverged");
  primary_.Replace(file_.bytes());
  RunUntilFollowed();
}

TEST_F(PackTest, TheRightFileBackInItsPlaceIsTheSameEpoch) {
  Begin();
  const std::string epoch = primary_.Status().epoch();
  EXPECT_TRUE(primary_.disk().Rename("/primary/Data.fs", "/primary/moved").ok());
  primary_.Replace(FileBuilder().AddMany(39, 900).bytes());
  RunUntilState(primary_, "diverged");
  EXPECT_TRUE(primary_.disk().Rename("/primary/moved", "/primary/Data.fs").ok());
  RunUntilFollowed();
  EXPECT_EQ(primary_.Status().epoch(), epoch);
  EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs.old"));
}

TEST_F(PackTest, TheRightFileBackWhileItIsBeingCopiedIsTheSameEpoch) {
  Begin();
  const std::string epoch = primary_.Status().epoch();
  primary_.Replace(file_.bytes().substr(0, static_cast<size_t>(file_.boundaries()[20].offset)));
  RunUntilState(primary_, "diverged");
  primary_.Write(file_.bytes());
  RunUntilFollowed();
  EXPECT_EQ(primary_.Status().epoch(), epoch);
}

TEST_F(PackTest, AFileThatIsEmptiedOrRemovedLeavesTheCopy) {
  for (const bool removed : {true, false}) {
    Begin();
    if (removed) {
      EXPECT_TRUE(primary_.disk().Remove("/primary/Data.fs").ok());
    } else {
      primary_.Write("");
    }
    EXPECT_TRUE(world_.RunUntil([&] { return primary_.Status().has_error(); }));
    world_.RunFor(absl::Seconds(30));
    EXPECT_FALSE(primary_.serving());
    EXPECT_TRUE(secondary_.Data() == file_.bytes());
    primary_.Write(FileBuilder().bytes());
    world_.RunFor(absl::Seconds(30));
    EXPECT_FALSE(primary_.serving());
    EXPECT_TRUE(secondary_.Data() == file_.bytes());
    primary_.Replace(file_.bytes());
    RunUntilFollowed();
    primary_.Stop();
    secondary_.Stop();
  }
}

}  // namespace
}  // namespace zrs::storage
