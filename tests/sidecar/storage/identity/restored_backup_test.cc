// A person says that the file in the primary's place, which is no pack of the one before, is to be what counts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/zrs/v1/admin.pb.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr auto kRestored = v1::AdoptRequest::AS_RESTORED;

class RestoredBackupTest : public PackTest {
 protected:
  // The file of then, of 40 transactions, as it was with the first 35, and what was committed there since.
  FileBuilder Backup() {
    FileBuilder backup = FileBuilder().AddMany(35, 900);
    backup.Add({.tid = tests::TestTid(100), .records = {{.oid = 1, .data = "another future"}}});
    return backup;
  }
  void Restore(const FileBuilder& backup) {
    primary_.Replace(backup.bytes());
    RunUntilState(primary_, "diverged");
    RunUntilState(secondary_, "diverged");
  }
  void Adopt() {
    const absl::StatusOr<std::string> adopted = primary_.Adopt(kRestored);
    ASSERT_TRUE(adopted.ok()) << adopted.status();
    EXPECT_THAT(*adopted, AllOf(HasSubstr("generation 2"), HasSubstr("zrs resync there"), HasSubstr("primary.state1")));
    RunUntilState(primary_, "streaming");
    EXPECT_TRUE(primary_.serving());
  }
  void ExpectToldOfRestore(Machine& machine) {
    EXPECT_TRUE(world_.RunUntil([&] {
      const v1::StorageStatus status = machine.Status();
      return status.state() == "diverged" && status.error().message().find("--restored") != std::string::npos &&
             status.has_divergence();
    })) << machine.Status().DebugString();
    EXPECT_FALSE(machine.serving());
  }
  void ExpectResynced(Machine& machine, uint64_t transactions) {
    ExpectToldOfRestore(machine);
    const v1::ResyncResponse plan = machine.Resync(/*dry_run=*/true);
    EXPECT_EQ(plan.result(), v1::ResyncResponse::RESULT_PLANNED) << plan.message();
    EXPECT_EQ(plan.transactions(), transactions);
    const v1::ResyncResponse done = machine.Resync(/*dry_run=*/false);
    EXPECT_EQ(done.result(), v1::ResyncResponse::RESULT_DONE) << done.message();
    RunUntilEqual(primary_, machine);
    RunUntilState(machine, "streaming");
    EXPECT_EQ(machine.Status().epoch(), primary_.Status().epoch());
  }
  void ExpectGoesOn(FileBuilder backup) {
    backup.AddMany(3, 300);
    primary_.Write(backup.bytes());
    RunUntilFollowed();
  }
};

TEST_F(RestoredBackupTest, TheSecondariesKeepWhatOnlyTheyHaveUntilTheyAreTold) {
  Begin();
  Restore(Backup());
  EXPECT_THAT(primary_.Status().error().remedy(), HasSubstr("zrs adopt --restored --storage primary"));
  Adopt();
  ExpectToldOfRestore(secondary_);
  EXPECT_EQ(secondary_.Data(), file_.bytes());
  EXPECT_THAT(secondary_.Status().error().remedy(), HasSubstr("zrs resync"));
  const std::string kept = file_.bytes().substr(file_.boundaries()[35].offset);
  ExpectResynced(secondary_, 5);
  EXPECT_EQ(secondary_.disk().Contents("/secondary/Data.fs.tr0"), kept);
  ExpectGoesOn(Backup());
}

TEST_F(RestoredBackupTest, AlsoWhereItWasFoundAtAStart) {
  Begin();
  primary_.Stop();
  primary_.Replace(Backup().bytes());
  primary_.Start();
  RunUntilState(primary_, "diverged");
  Adopt();
  primary_.Stop();
  primary_.Start();
  RunUntilState(primary_, "streaming");
  ExpectResynced(secondary_, 5);
  ExpectGoesOn(Backup());
}

// In a chain each has a file of its own.
TEST_F(RestoredBackupTest, EverySecondaryIsToldForItself) {
  Machine third(world_, "third", "secondary");
  Begin();
  third.Start();
  RunUntilEqual(secondary_, third);
  Restore(Backup());
  Adopt();
  ExpectResynced(secondary_, 5);
  ExpectResynced(third, 5);
  ExpectGoesOn(Backup());
  RunUntilEqual(secondary_, third);
}

// It had got no further than the backup when it was stopped: all that it has is there.
TEST_F(RestoredBackupTest, OneThatHasNothingElseGivesNothingUp) {
  Begin();
  FileBuilder longer = file_;
  longer.AddMany(5, 300);
  secondary_.Stop();
  primary_.Write(longer.bytes());
  world_.RunFor(absl::Seconds(5));
  primary_.Replace(file_.bytes());
  RunUntilState(primary_, "diverged");
  Adopt();
  secondary_.Start();
  ExpectToldOfRestore(secondary_);
  EXPECT_EQ(secondary_.Resync(/*dry_run=*/false).result(), v1::ResyncResponse::RESULT_DONE);
  RunUntilFollowed();
  EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs.tr0"));
}

// A copy of an epoch before the backup's must not be taken for the beginning of it, nor be replaced by it.
TEST_F(RestoredBackupTest, APackInBetweenProvesNothing) {
  Begin();
  secondary_.Stop();
  FileBuilder packed = Pack(file_);
  primary_.Pack(packed.bytes());
  world_.RunFor(absl::Seconds(30));
  packed.AddMany(2, 300);
  primary_.Write(packed.bytes());
  world_.RunFor(absl::Seconds(5));
  primary_.Replace(Backup().bytes());
  RunUntilState(primary_, "diverged");
  Adopt();
  FileBuilder repacked = Pack(Backup());
  primary_.Pack(repacked.bytes());
  world_.RunFor(absl::Seconds(30));
  RunUntilState(primary_, "streaming");
  secondary_.Start();
  RunUntilState(secondary_, "diverged");
  world_.RunFor(absl::Minutes(1));
  EXPECT_EQ(secondary_.Data(), file_.bytes());
  EXPECT_EQ(secondary_.Resync(/*dry_run=*/false).result(), v1::ResyncResponse::RESULT_DONE);
  RunUntilFollowed();
}

// What had been committed when it was asked is in the database no more, whoever has the file of now.
TEST_F(RestoredBackupTest, AWaitForWhatTheBackupDoesNotHaveFails) {
  Machine third(world_, "third", "primary");
  Begin();
  std::optional<v1::WaitResponse> patient;
  primary_.BeginWait(2, absl::InfiniteDuration(), patient);
  world_.RunFor(absl::Seconds(1));
  Restore(Backup());
  EXPECT_FALSE(patient.has_value());
  Adopt();
  ASSERT_TRUE(patient.has_value());
  EXPECT_EQ(patient->result(), v1::WaitResponse::RESULT_FAILED);
  EXPECT_THAT(patient->message(), HasSubstr("may be gone"));
  third.Start();
  ExpectResynced(secondary_, 5);
  RunUntilEqual(primary_, third);
  EXPECT_EQ(primary_.Wait(2, absl::Seconds(10)).result(), v1::WaitResponse::RESULT_DONE);
}

TEST_F(RestoredBackupTest, AnEmptySecondaryCopiesIt) {
  Begin();
  Restore(Backup());
  Adopt();
  Machine third(world_, "third", "primary");
  third.Start();
  RunUntilEqual(primary_, third);
  RunUntilState(third, "streaming");
}

TEST_F(RestoredBackupTest, NothingIsToBeSaidOfTheRightFile) {
  Begin();
  secondary_.Stop();
  world_.RunFor(absl::Seconds(5));
  EXPECT_THAT(primary_.Adopt(kRestored).status().message(), HasSubstr("nothing is in the place of"));
  EXPECT_EQ(primary_.Status().generation(), 1u);
  primary_.Replace(Backup().bytes());
  RunUntilState(primary_, "diverged");
  EXPECT_THAT(primary_.Adopt().status().message(), HasSubstr("--restored"));
  primary_.Replace(file_.bytes());
  RunUntilState(primary_, "streaming");
  EXPECT_THAT(primary_.Adopt(kRestored).status().message(), HasSubstr("nothing is in the place of"));
}

// One that was promoted meanwhile is of the same generation: neither is right by itself.
TEST_F(RestoredBackupTest, APromotionThatItDoesNotKnowOfIsAConflict) {
  Machine third(world_, "third", "primary");
  Begin();
  third.Start();
  RunUntilEqual(primary_, third);
  Restore(Backup());
  EXPECT_EQ(secondary_.Promote(v1::PromoteRequest::UPSTREAM_NO_MATTER).result(), v1::PromotedStorage::RESULT_PROMOTED);
  third.Stop();
  third.SetUpstream("secondary");
  third.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return third.Status().generation() == 2; }));
  Adopt();
  third.Stop();
  third.SetUpstreams({"secondary", "primary"});
  third.Start();
  RunUntilState(primary_, "superseded");
  RunUntilState(secondary_, "superseded");
}

// What was packed away before has all of the backup, and more: only its inode told that it is not what was followed.
TEST_F(RestoredBackupTest, AStartThatRenumbersTheDevicesTakesItForNoOtherFile) {
  Begin();
  primary_.Pack(Pack(file_).bytes());
  RunUntilFollowed();
  const FileBuilder backup = FileBuilder().AddMany(35, 900);
  Restore(backup);
  Adopt();
  primary_.Stop();
  primary_.disk().Renumber();
  primary_.Start();
  RunUntilState(primary_, "streaming");
  world_.RunFor(absl::Seconds(10));
  EXPECT_EQ(primary_.Status().state(), "streaming") << primary_.Status().DebugString();
}

}  // namespace
}  // namespace zrs::storage
