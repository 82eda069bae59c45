// A follower that has less than the file had when it was packed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;

class PackLagTest : public PackTest {
 protected:
  // The secondary is gone, and more is committed.
  void BeginAndLeaveBehind() {
    Begin();
    secondary_.Stop();
    primary_.Write(file_.AddMany(5, 100).bytes());
    world_.RunFor(absl::Seconds(3));
  }
  // `now` is packed, and something is committed behind it.
  void PackAndCommit(FileBuilder& now) {
    const std::string epoch = primary_.Status().epoch();
    now = Pack(now, 50).AddMany(3, 100);
    primary_.Pack(now.bytes());
    EXPECT_TRUE(world_.RunUntil([&] { return primary_.serving() && primary_.Status().epoch() != epoch; }));
  }
};

TEST_F(PackLagTest, IsProvedByTheOldFile) {
  BeginAndLeaveBehind();
  primary_.Pack(Pack(file_).bytes());
  secondary_.Start();
  RunUntilFollowed();
}

TEST_F(PackLagTest, IsProvedAfterARestartOfThePrimaryToo) {
  BeginAndLeaveBehind();
  primary_.Stop();
  primary_.Pack(Pack(file_).bytes());
  primary_.Start();
  secondary_.Start();
  RunUntilFollowed();
}

TEST_F(PackLagTest, OverManyPacksItIsRememberedWhereItWas) {
  BeginAndLeaveBehind();
  for (int n = 0; n < 3; ++n) PackAndCommit(file_);
  secondary_.Start();
  RunUntilFollowed();
}

TEST_F(PackLagTest, OverManyPacksAndRestartsOfThePrimary) {
  BeginAndLeaveBehind();
  for (int n = 0; n < 3; ++n) {
    PackAndCommit(file_);
    primary_.Stop();
    primary_.Start();
  }
  secondary_.Start();
  RunUntilFollowed();
}

// What was sent last may have arrived, though nobody heard of it.
TEST_F(PackLagTest, OverTwoPacksWithMoreThanItHasAcknowledged) {
  Begin();
  primary_.Write(file_.AddMany(1, 100).bytes());
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Data() == file_.bytes(); }));
  world_.network().Cut("primary", "secondary", /*half_open=*/false);
  world_.network().Block("primary", "secondary", absl::Minutes(2));
  secondary_.Stop();
  primary_.Write(file_.AddMany(5, 100).bytes());
  PackAndCommit(file_);
  PackAndCommit(file_);
  world_.network().Unblock();
  secondary_.Start();
  RunUntilFollowed();
}

TEST_F(PackLagTest, BehindASecondaryToo) {
  Machine third(world_, "third", "secondary");
  Begin();
  third.Start();
  RunUntilEqual(primary_, third);
  third.Stop();
  primary_.Write(file_.AddMany(5, 100).bytes());
  RunUntilEqual(primary_, secondary_);
  for (int n = 0; n < 3; ++n) {
    PackAndCommit(file_);
    RunUntilFollowed();
  }
  third.Start();
  RunUntilEqual(primary_, third);
}

// As after a kill of the primary just after it saw the follower go.
TEST_F(PackLagTest, OverTwoPacksWithoutBeingRememberedItStopsAndAsks) {
  primary_.Write(file_.bytes());
  primary_.Start();
  RunUntilState(primary_, "streaming");
  const std::string state = primary_.disk().Contents("/state/primary.state");
  EXPECT_THAT(state, HasSubstr("\"followers\": []"));
  secondary_.Start();
  RunUntilEqual(primary_, secondary_);
  secondary_.Stop();
  primary_.Write(file_.AddMany(5, 100).bytes());
  world_.RunFor(absl::Seconds(3));
  primary_.Stop();
  primary_.disk().SetContents("/state/primary.state", state);
  primary_.Start();
  RunUntilState(primary_, "streaming");
  PackAndCommit(file_);
  PackAndCommit(file_);
  const std::string copy = secondary_.Data();
  secondary_.Start();
  RunUntilState(secondary_, "diverged");
  EXPECT_THAT(secondary_.Status().error().message(), HasSubstr("remembered"));
  EXPECT_TRUE(secondary_.Data() == copy);
}

// An object that nothing refers to any more is written to, which is all that the follower has of it; then that is
// undone. A pack to a moment before the undo drops what was undone, and keeps the older revision that the undo refers
// to.
class PackedGarbageTest : public PackLagTest {
 protected:
  PackedGarbageTest() { file_ = FileBuilder().Add(Revision(1, 0)).Add(both_).Add(Revision(3, 0)).Add(Revision(4, 1)); }

  static tests::TransactionSpec Revision(uint64_t n, uint64_t oid, char status = filestorage::kStatusComplete) {
    return {
        .tid = tests::TestTid(n), .status = status, .records = {{.oid = oid, .data = "revision " + std::to_string(n)}}};
  }
  static FileBuilder& AddUndo(FileBuilder& file, uint64_t position) {
    return file.Add({.tid = tests::TestTid(5), .records = {{.oid = 1, .back_pointer = position}}});
  }
  // What is left after a pack to the moment before the undo.
  static FileBuilder PackedBeforeUndo() {
    FileBuilder packed = FileBuilder().Add(Revision(2, 1, 'p')).Add(Revision(3, 0, 'p'));
    return AddUndo(packed, packed.record_position(1));
  }

  // The undo is in it.
  void PackTheFirstTime() {
    FileBuilder first = FileBuilder().Add(Revision(2, 1, 'p')).Add(Revision(3, 0)).Add(Revision(4, 1));
    primary_.Pack(AddUndo(first, first.record_position(1)).bytes());
  }
  void PackAgain() {
    EXPECT_TRUE(primary_.disk().Remove("/primary/Data.fs.old").ok());
    primary_.Pack(PackedBeforeUndo().bytes());
  }

  const tests::TransactionSpec both_ = {.tid = tests::TestTid(2),
                                        .records = {{.oid = 0, .data = "to 1"}, {.oid = 1, .data = "revision 2"}}};
};

TEST_F(PackedGarbageTest, ThatWasUndoneAfterTheFollowerWent) {
  const uint64_t position = file_.record_position(1);
  Begin();
  secondary_.Stop();
  primary_.Write(AddUndo(file_, position).bytes());
  world_.RunFor(absl::Seconds(3));
  primary_.Pack(PackedBeforeUndo().bytes());
  secondary_.Start();
  RunUntilFollowed();
}

// The file between was the primary's, and was followed by nobody.
TEST_F(PackedGarbageTest, ThatWasUndoneBetweenTwoPacks) {
  Begin();
  secondary_.Stop();
  tests::TransactionSpec both = both_;
  both.status = filestorage::kStatusPacked;
  FileBuilder first = FileBuilder().Add(both).Add(Revision(3, 0)).Add(Revision(4, 1));
  const std::string epoch = primary_.Status().epoch();
  primary_.Pack(first.bytes());
  EXPECT_TRUE(world_.RunUntil([&] { return primary_.serving() && primary_.Status().epoch() != epoch; }));
  primary_.Write(AddUndo(first, first.record_position(1)).bytes());
  world_.RunFor(absl::Seconds(3));
  primary_.Pack(PackedBeforeUndo().bytes());
  secondary_.Start();
  RunUntilFollowed();
}

TEST_F(PackedGarbageTest, ThatWasUndoneBetweenTwoPacksOfWhichThePrimarySawTheSecondAlone) {
  Begin();
  PackTheFirstTime();
  PackAgain();
  RunUntilFollowed();
}

TEST_F(PackedGarbageTest, ThatWasUndoneBetweenTwoPacksOfWhichThePrimaryHadNotProvedTheFirst) {
  Begin();
  PackTheFirstTime();
  bool packed = false;
  primary_.disk().SetHook([&](const tests::SimulatedOperation& operation) {
    const bool opened = operation.kind == tests::SimulatedOperation::Kind::kSyncDirectory;
    if (opened && operation.path == "/primary" && !std::exchange(packed, true)) PackAgain();
    return absl::OkStatus();
  });
  RunUntilFollowed();
  primary_.disk().SetHook(nullptr);
  EXPECT_EQ(primary_.Data(), PackedBeforeUndo().bytes());
}

// Somebody wrote to the copy while its sidecar was down.
TEST_F(PackLagTest, OverTwoPacksWithAnotherTransactionItStopsAndAsks) {
  BeginAndLeaveBehind();
  PackAndCommit(file_);
  PackAndCommit(file_);
  std::string copy = secondary_.Data();
  copy += tests::EncodeTransaction({.tid = tests::TestTid(40) + 1}, copy.size());
  secondary_.disk().SetContents("/secondary/Data.fs", copy);
  secondary_.Start();
  RunUntilState(secondary_, "diverged");
  EXPECT_TRUE(secondary_.Data() == copy);
}

}  // namespace
}  // namespace zrs::storage
