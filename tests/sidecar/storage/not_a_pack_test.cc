// What takes the place of a file and is no pack of it: nothing is replaced, and a person is asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

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

// Of all but the last transaction.
FileBuilder BackupThatWentOn() {
  FileBuilder backup = FileBuilder().AddMany(39, 900);
  backup.Add({.tid = tests::TestTid(100), .records = {{.oid = 1, .data = "another future"}}});
  return backup;
}

TEST_F(PackTest, AnOlderBackupThatIsPackedWhileTheSidecarIsDown) {
  Begin();
  primary_.Stop();
  const FileBuilder backup = BackupThatWentOn();
  primary_.WriteUnnoticed(backup.bytes());
  primary_.Pack(Pack(backup).bytes());
  primary_.Start();
  ExpectDiverged(file_.bytes());
}

// Of that file nothing can be told, which is not the same as that it is gone.
TEST_F(PackTest, AnOldFileThatItsDiskDoesNotGiveBackDoesNotHideOneThatWasPacked) {
  Begin();
  primary_.Stop();
  const FileBuilder backup = BackupThatWentOn();
  primary_.WriteUnnoticed(backup.bytes());
  primary_.Pack(Pack(backup).bytes());
  primary_.disk().SetHook([](const tests::SimulatedOperation& operation) {
    const bool read = operation.kind == tests::SimulatedOperation::Kind::kRead;
    if (!read || operation.path != "/primary/Data.fs.old") return absl::OkStatus();
    return absl::DataLossError("read /primary/Data.fs.old: Input/output error");
  });
  primary_.Start();
  ExpectDiverged(file_.bytes());
  EXPECT_THAT(primary_.Status().error().message(), testing::HasSubstr("Input/output error"));
  primary_.disk().SetHook(nullptr);
}

// What was committed after the backup is in the copies alone; what the backup became has later transactions, packed.
FileBuilder PackedBackup() { return Pack(BackupThatWentOn()); }

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

// What the state knew last is in the backup too: that does not make it the right file after a restart.
TEST_F(PackTest, ABackupFromBehindTheSavedBoundIsNotFollowedAfterARestart) {
  for (const bool in_place : {false, true}) {
    Begin();
    world_.RunFor(absl::Seconds(2));
    const std::string state = primary_.disk().Contents("/state/primary.state");
    FileBuilder backup = file_;
    backup.AddMany(2, 300);
    primary_.Write(backup.bytes());
    RunUntilEqual(primary_, secondary_);
    file_ = backup;
    primary_.Write(file_.AddMany(3, 200).bytes());
    RunUntilEqual(primary_, secondary_);
    ASSERT_EQ(primary_.disk().Contents("/state/primary.state"), state) << "the bound is to be an old one";
    if (in_place) {
      primary_.Write(backup.bytes());
    } else {
      primary_.Replace(backup.bytes());
    }
    ExpectDiverged(file_.bytes());
    primary_.Stop();
    primary_.Start();
    ExpectDiverged(file_.bytes());
    backup.Add({.tid = tests::TestTid(100), .records = {{.oid = 1, .data = "another future"}}});
    primary_.Write(backup.bytes());
    world_.RunFor(absl::Seconds(3));
    primary_.Pack(Pack(backup).bytes());
    ExpectDiverged(file_.bytes());
    EXPECT_TRUE(primary_.disk().Remove("/primary/Data.fs.old").ok());
    primary_.Replace(file_.bytes());
    RunUntilFollowed();
    primary_.Stop();
    secondary_.Stop();
  }
}

// The file before that pack would be let go of, after its time, while it is looked whether this is one.
TEST_F(PackTest, OneSomeTimeAfterAPackIsNotForgivenWithThePacksOldFile) {
  primary_.SetPieces(4096);
  Begin();
  primary_.Pack(Pack(file_).bytes());
  RunUntilFollowed();
  const std::string copy = secondary_.Data();
  EXPECT_TRUE(primary_.disk().Remove("/primary/Data.fs.old").ok());
  EXPECT_TRUE(secondary_.disk().Remove("/secondary/Data.fs.old").ok());
  world_.RunFor(absl::Hours(1) - absl::Seconds(30));
  primary_.Write(PackedBackup().bytes());
  bool held = false;
  primary_.disk().SetHook([&](const tests::SimulatedOperation& operation) {
    const bool scanned = operation.kind == tests::SimulatedOperation::Kind::kRead && operation.size > 4000;
    if (scanned && operation.path == "/primary/Data.fs" && !std::exchange(held, true)) {
      primary_.HoldIo(absl::Seconds(40));
    }
    return absl::OkStatus();
  });
  RunUntilState(primary_, "diverged");
  EXPECT_TRUE(held);
  primary_.disk().SetHook(nullptr);
  ExpectDiverged(copy);
}

// A pack, which was seen but not proved yet, drops the last transactions as garbage; the backup, from between them,
// ends with one that this pack has. But what the backup is packed to has an older revision of what they wrote.
TEST_F(PackTest, AnOlderBackupIsNoFileBetweenTwoPacks) {
  const auto revision = [](uint64_t n, uint64_t oid, char status) {
    return tests::TransactionSpec{
        .tid = tests::TestTid(n), .status = status, .records = {{.oid = oid, .data = "revision " + std::to_string(n)}}};
  };
  const FileBuilder backup = FileBuilder().Add(revision(1, 0, ' ')).Add(revision(2, 7, ' '));
  file_ = FileBuilder(backup).Add(revision(3, 7, ' '));
  Begin();
  primary_.Pack(FileBuilder().Add(revision(1, 0, 'p')).bytes());
  const FileBuilder packed = FileBuilder().Add(revision(1, 0, 'p')).Add(revision(2, 7, 'p'));
  bool replaced = false;
  primary_.disk().SetHook([&](const tests::SimulatedOperation& operation) {
    const bool opened = operation.kind == tests::SimulatedOperation::Kind::kSyncDirectory;
    if (opened && operation.path == "/primary" && !std::exchange(replaced, true)) {
      primary_.disk().SetContents("/primary/backup", backup.bytes());
      EXPECT_TRUE(primary_.disk().Rename("/primary/backup", "/primary/Data.fs.old").ok());
      primary_.Replace(packed.bytes());
    }
    return absl::OkStatus();
  });
  RunUntilState(primary_, "diverged");
  EXPECT_TRUE(replaced);
  primary_.disk().SetHook(nullptr);
  ExpectDiverged(file_.bytes());
}

TEST_F(PackTest, AnOldFileThatMayNotBeReadDoesNotHideAnOlderBackup) {
  Begin();
  primary_.disk().SetContents("/primary/Data.fs.old", FileBuilder().AddMany(5, 100).bytes());
  primary_.disk().SetHook([](const tests::SimulatedOperation& operation) {
    const bool opened = operation.kind == tests::SimulatedOperation::Kind::kOpen;
    if (!opened || operation.path != "/primary/Data.fs.old") return absl::OkStatus();
    return absl::PermissionDeniedError("open /primary/Data.fs.old: Permission denied");
  });
  primary_.Replace(FileBuilder().AddMany(39, 900).bytes());
  ExpectDiverged(file_.bytes());
  primary_.disk().SetHook(nullptr);
}

TEST_F(PackTest, ForAFileThatGoesOnInDoubtTheOldOneIsNotReadAgain) {
  Begin();
  primary_.disk().SetContents("/primary/Data.fs.old", FileBuilder().AddMany(5, 100).bytes());
  FileBuilder backup = FileBuilder().AddMany(39, 900);
  primary_.Replace(backup.bytes());
  RunUntilState(primary_, "diverged");
  int opened = 0;
  primary_.disk().SetHook([&](const tests::SimulatedOperation& operation) {
    const bool open = operation.kind == tests::SimulatedOperation::Kind::kOpen;
    if (open && operation.path == "/primary/Data.fs.old") ++opened;
    return absl::OkStatus();
  });
  for (uint64_t i = 0; i < 5; ++i) {
    backup.Add({.tid = tests::TestTid(100 + i), .records = {{.oid = 1, .data = "another future"}}});
    primary_.Write(backup.bytes());
    world_.RunFor(absl::Seconds(2));
  }
  EXPECT_EQ(opened, 0);
  primary_.disk().SetHook(nullptr);
}

}  // namespace
}  // namespace zrs::storage
