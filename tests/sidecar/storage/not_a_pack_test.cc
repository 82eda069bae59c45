// What takes the place of a file and is no pack of it: nothing is replaced, and a person is asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

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

// A pack of what the backup became must not pass for a pack of what was there before.
TEST_F(PackTest, AnOlderBackupThatIsPackedLaterIsStillNotFollowed) {
  Begin();
  FileBuilder backup = FileBuilder().AddMany(39, 900);
  primary_.Replace(backup.bytes());
  RunUntilState(primary_, "diverged");
  backup.Add({.tid = tests::TestTid(100), .records = {{.oid = 1, .data = "another future"}}});
  primary_.Write(backup.bytes());
  world_.RunFor(absl::Seconds(3));
  primary_.Pack(Pack(backup).bytes());
  ExpectDiverged(file_.bytes());
  primary_.Stop();
  primary_.Start();
  ExpectDiverged(file_.bytes());
  primary_.Replace(file_.bytes());
  RunUntilFollowed();
  primary_.Pack(Pack(file_).bytes());
  RunUntilFollowed();
}

TEST_F(PackTest, AnOlderBackupThatIsPackedWhileTheSidecarIsDown) {
  Begin();
  primary_.Stop();
  FileBuilder backup = FileBuilder().AddMany(39, 900);
  backup.Add({.tid = tests::TestTid(100), .records = {{.oid = 1, .data = "another future"}}});
  primary_.WriteUnnoticed(backup.bytes());
  primary_.Pack(Pack(backup).bytes());
  primary_.Start();
  ExpectDiverged(file_.bytes());
}

// What was committed after the backup is in the copies alone; what the backup became has later transactions, packed.
FileBuilder PackedBackup() {
  FileBuilder backup = FileBuilder().AddMany(39, 900);
  backup.Add({.tid = tests::TestTid(100), .records = {{.oid = 1, .data = "another future"}}});
  return Pack(backup);
}

TEST_F(PackTest, AnOlderBackupThatWasPackedElsewhereUnderTheName) {
  Begin();
  primary_.Replace(PackedBackup().bytes());
  ExpectDiverged(file_.bytes());
}

TEST_F(PackTest, AnOlderBackupThatWasPackedElsewhereOverTheFile) {
  Begin();
  primary_.Write(PackedBackup().bytes());
  ExpectDiverged(file_.bytes());
  primary_.Stop();
  primary_.Start();
  ExpectDiverged(file_.bytes());
}

// All of it between two looks at the file.
TEST_F(PackTest, AnOlderBackupThatIsPackedBeforeAnybodySawIt) {
  for (const bool in_place : {true, false}) {
    Begin();
    FileBuilder backup = FileBuilder().AddMany(39, 900);
    backup.Add({.tid = tests::TestTid(100), .records = {{.oid = 1, .data = "another future"}}});
    if (in_place) {
      primary_.WriteUnnoticed(backup.bytes());
    } else {
      primary_.disk().SetContents("/primary/backup", backup.bytes());
      EXPECT_TRUE(primary_.disk().Rename("/primary/backup", "/primary/Data.fs").ok());
    }
    primary_.Pack(Pack(backup).bytes());
    ExpectDiverged(file_.bytes());
    primary_.Replace(file_.bytes());
    RunUntilFollowed();
    primary_.Stop();
    secondary_.Stop();
  }
}

TEST_F(PackTest, AnOlderBackupThatWasPackedElsewhereWhileTheSidecarIsDown) {
  // A pack of the file itself, some time ago.
  Begin();
  primary_.Pack(Pack(file_).AddMany(60, 100).bytes());
  RunUntilFollowed();
  const std::string copy = secondary_.Data();
  EXPECT_TRUE(secondary_.disk().Remove("/secondary/Data.fs.old").ok());
  primary_.Stop();
  primary_.Replace(PackedBackup().bytes());
  primary_.Start();
  ExpectDiverged(copy);
}

TEST_F(PackTest, TheRightFileMovedBackAfterARestartIsNotLockedByOurselves) {
  Begin();
  primary_.Stop();
  primary_.Pack(FileBuilder().AddMany(39, 900).bytes());
  primary_.Start();
  RunUntilState(primary_, "diverged");
  EXPECT_TRUE(primary_.disk().Rename("/primary/Data.fs.old", "/primary/Data.fs").ok());
  RunUntilFollowed();
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
