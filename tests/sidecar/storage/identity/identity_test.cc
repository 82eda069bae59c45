// Which database a primary's file is, where its state was lost or copied along.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/storage_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;

constexpr char kState[] = "/state/primary.state";

class IdentityTest : public PairTest {
 protected:
  // The primary has lost its state, and is down.
  void BeginAndLoseState() {
    Begin();
    RunUntilState(secondary_, "streaming");
    database_ = primary_.Status().database_id();
    epoch_ = primary_.Status().epoch();
    primary_.Stop();
    LoseState();
  }
  void NoteIdentity() {
    database_ = primary_.Status().database_id();
    epoch_ = primary_.Status().epoch();
  }
  void LoseState() { ASSERT_TRUE(primary_.disk().Remove(kState).ok()); }
  void ExpectKnownAgain() {
    RunUntilState(secondary_, "streaming");
    primary_.Write(file_.AddMany(2, 300).bytes());
    RunUntilEqual(primary_, secondary_);
    EXPECT_EQ(primary_.Status().database_id(), database_);
    EXPECT_EQ(primary_.Status().epoch(), epoch_);
    EXPECT_FALSE(primary_.Status().has_takes_identity());
    EXPECT_EQ(secondary_.Status().database_id(), database_);
    EXPECT_FALSE(secondary_.Status().has_error()) << secondary_.Status().error().message();
  }
  bool RunUntilTrouble(const std::string& text) {
    return world_.RunUntil([&] { return secondary_.Status().error().message().find(text) != std::string::npos; });
  }

  std::string database_;
  std::string epoch_;
};

TEST_F(IdentityTest, APrimaryThatHasLostItsStateIsToldByItsSecondary) {
  BeginAndLoseState();
  primary_.Write(file_.AddMany(3, 300).bytes());
  const uint64_t inode = secondary_.disk().Stat("/secondary/Data.fs")->inode;
  primary_.Start();
  ExpectKnownAgain();
  EXPECT_EQ(secondary_.disk().Stat("/secondary/Data.fs")->inode, inode) << "it was not copied again";
  EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs.tr0"));
  primary_.Stop();
  primary_.Start();
  ExpectKnownAgain();
}

// Of what it has looked through so far, nothing can be told.
TEST_F(IdentityTest, ASecondaryThatHasLostItsOwnWaitsUntilThePrimaryHasLookedThroughItsFile) {
  file_.AddMany(300, 900);
  BeginAndLoseState();
  secondary_.Stop();
  ASSERT_TRUE(secondary_.disk().Remove("/state/secondary.state").ok());
  primary_.SetPieces(128);
  primary_.Start();
  secondary_.Start();
  EXPECT_TRUE(RunUntilTrouble("looks through its file")) << secondary_.Status().DebugString();
  RunUntilState(secondary_, "streaming");
  RunUntilEqual(primary_, secondary_);
}

TEST_F(IdentityTest, TheOtherSecondariesGoOnToo) {
  Machine third(world_, "third", "primary");
  third.Start();
  BeginAndLoseState();
  primary_.Start();
  ExpectKnownAgain();
  RunUntilState(third, "streaming");
  RunUntilEqual(primary_, third);
}

TEST_F(IdentityTest, SoDoesOneThatWasPromotedBefore) {
  BeginAndLoseState();
  primary_.Start();
  ExpectKnownAgain();
  primary_.Stop();
  ASSERT_EQ(secondary_.Promote(v1::PromoteRequest::UPSTREAM_NO_MATTER).result(), v1::PromotedStorage::RESULT_PROMOTED);
  EXPECT_EQ(secondary_.Status().database_id(), database_);
}

// A person told it to follow: which database a file is, is not for it to say, and it does not wait for that.
TEST_F(IdentityTest, AHostThatWasThePrimaryTellsNobody) {
  Begin();
  RunUntilState(secondary_, "streaming");
  primary_.Stop();
  ASSERT_EQ(secondary_.Promote(v1::PromoteRequest::UPSTREAM_NO_MATTER).result(), v1::PromotedStorage::RESULT_PROMOTED);
  secondary_.Stop();
  ASSERT_TRUE(secondary_.disk().Remove("/state/secondary.state").ok());
  secondary_.SetUpstream("");
  secondary_.Start();
  primary_.SetUpstream("secondary");
  primary_.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return primary_.Status().has_error(); }));
  EXPECT_THAT(primary_.Status().error().remedy(), HasSubstr("move its state file /state/primary.state away"));
  primary_.Stop();
  LoseState();
  primary_.Start();
  RunUntilState(primary_, "streaming");
  EXPECT_EQ(primary_.Status().database_id(), secondary_.Status().database_id());
}

TEST_F(IdentityTest, AFileWithOtherBytesTakesNoIdentityAndIsNotFollowed) {
  BeginAndLoseState();
  tests::FileBuilder other;
  other.Add({.tid = tests::TestTid(1), .records = {{.oid = 1, .data = "another"}}}).AddMany(60, 900);
  primary_.Write(other.bytes());
  const std::string copy = secondary_.Data();
  primary_.Start();
  EXPECT_TRUE(RunUntilTrouble("compared, and are not the same")) << secondary_.Status().DebugString();
  const std::string message = secondary_.Status().error().message();
  EXPECT_THAT(secondary_.Status().error().remedy(), HasSubstr("zrs adopt --new-database on its host"));
  world_.RunFor(absl::Minutes(5));
  EXPECT_EQ(secondary_.Data(), copy);
  EXPECT_NE(primary_.Status().database_id(), database_);
  EXPECT_EQ(primary_.Status().takes_identity(), "new");
  EXPECT_EQ(secondary_.Status().error().message(), message) << "it is not compared again and again";
  EXPECT_FALSE(secondary_.serving());
}

TEST_F(IdentityTest, AnOlderFileTakesNoIdentity) {
  BeginAndLoseState();
  primary_.Write(file_.bytes().substr(0, file_.boundaries()[20].offset));
  primary_.Start();
  EXPECT_TRUE(RunUntilTrouble("has less than this copy")) << secondary_.Status().DebugString();
  EXPECT_THAT(secondary_.Status().error().remedy(), HasSubstr("zrs adopt --new-database on its host"));
  EXPECT_EQ(secondary_.Data(), file_.bytes());
  EXPECT_NE(primary_.Status().database_id(), database_);
  // Once it has all, it is the right one.
  primary_.Write(file_.bytes());
  ExpectKnownAgain();
}

TEST_F(IdentityTest, ACopyWithoutATransactionShowsNothing) {
  const tests::FileBuilder empty;
  primary_.Write(empty.bytes());
  primary_.Start();
  secondary_.Start();
  RunUntilEqual(primary_, secondary_);
  RunUntilState(secondary_, "streaming");
  database_ = primary_.Status().database_id();
  primary_.Stop();
  LoseState();
  primary_.Write(file_.bytes());
  primary_.Start();
  EXPECT_TRUE(RunUntilTrouble("the follower keeps database"));
  world_.RunFor(absl::Minutes(1));
  EXPECT_EQ(secondary_.Data(), empty.bytes());
  EXPECT_NE(primary_.Status().database_id(), database_);
}

TEST_F(IdentityTest, OnceAnotherHasTheNewIdentityAPersonHasToSay) {
  BeginAndLoseState();
  secondary_.Stop();
  primary_.Start();
  Machine third(world_, "third", "primary");
  third.Start();
  RunUntilEqual(primary_, third);
  EXPECT_TRUE(world_.RunUntil([&] { return !primary_.Status().has_takes_identity(); }));
  // Not after a restart either.
  primary_.Stop();
  primary_.Start();
  secondary_.Start();
  EXPECT_TRUE(RunUntilTrouble("the follower keeps database"));
  EXPECT_THAT(secondary_.Status().error().remedy(), HasSubstr("zrs adopt there"));
  RunUntilState(third, "streaming");
  EXPECT_THAT(primary_.Adopt().status().message(), HasSubstr("stop them first"));
  third.Stop();
  const absl::StatusOr<std::string> adopted = primary_.Adopt();
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  EXPECT_THAT(*adopted, HasSubstr("storage primary takes the identity of the first secondary"));
  ExpectKnownAgain();
  third.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return third.Status().has_error(); })) << "that one has to be adopted in turn";
}

TEST_F(IdentityTest, ANewDatabaseTakesNoIdentity) {
  BeginAndLoseState();
  secondary_.Stop();
  primary_.Start();
  RunUntilState(primary_, "streaming");
  const std::string id = primary_.Status().database_id();
  ASSERT_TRUE(primary_.Adopt(v1::AdoptRequest::AS_NEW_DATABASE).ok());
  RunUntilState(primary_, "streaming");
  EXPECT_EQ(primary_.Status().database_id(), id) << "nobody else has it";
  secondary_.Start();
  EXPECT_TRUE(RunUntilTrouble("the follower keeps database"));
  world_.RunFor(absl::Minutes(1));
  EXPECT_EQ(primary_.Status().database_id(), id);
  // Said of one that is known it is another database from then on, and what was known is kept.
  const std::string state = primary_.disk().Contents(kState);
  const absl::StatusOr<std::string> again = primary_.Adopt(v1::AdoptRequest::AS_NEW_DATABASE);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_THAT(*again, HasSubstr(absl::StrCat(kState, "1")));
  RunUntilState(primary_, "streaming");
  EXPECT_NE(primary_.Status().database_id(), id);
  EXPECT_EQ(primary_.disk().Contents(absl::StrCat(kState, "1")), state);
}

TEST_F(IdentityTest, AStateThatCameAlongWithAMachineIsAdoptedOrLeft) {
  Begin();
  RunUntilState(secondary_, "streaming");
  NoteIdentity();
  for (const bool new_database : {false, true}) {
    primary_.Stop();
    primary_.SetMachineId(absl::StrCat("another ", new_database));
    primary_.Start();
    RunUntilState(primary_, "stopped");
    EXPECT_THAT(primary_.Status().error().message(), HasSubstr("zrs adopt"));
    const absl::StatusOr<std::string> adopted =
        primary_.Adopt(new_database ? v1::AdoptRequest::AS_NEW_DATABASE : v1::AdoptRequest::AS_PROVED);
    ASSERT_TRUE(adopted.ok()) << adopted.status();
    RunUntilState(primary_, "streaming");
    if (new_database) break;
    EXPECT_THAT(*adopted, HasSubstr("is the primary of database"));
    ExpectKnownAgain();
  }
  EXPECT_NE(primary_.Status().database_id(), database_);
  EXPECT_TRUE(primary_.disk().Exists(absl::StrCat(kState, "1")));
  EXPECT_TRUE(RunUntilTrouble("the follower keeps database"));
}

TEST_F(IdentityTest, ADamagedStateIsKeptAside) {
  Begin();
  RunUntilState(secondary_, "streaming");
  NoteIdentity();
  primary_.Stop();
  primary_.disk().SetContents(kState, "{ nonsense");
  primary_.Start();
  RunUntilState(primary_, "stopped");
  const absl::StatusOr<std::string> adopted = primary_.Adopt();
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  EXPECT_THAT(*adopted, HasSubstr("the state file of before is kept as"));
  EXPECT_EQ(primary_.disk().Contents(absl::StrCat(kState, "1")), "{ nonsense");
  ExpectKnownAgain();
}

TEST_F(IdentityTest, AWishEndsWithASecondaryThatKnowsThePresentIdentity) {
  Begin();
  RunUntilState(secondary_, "streaming");
  NoteIdentity();
  secondary_.Stop();
  EXPECT_TRUE(world_.RunUntil([&] { return primary_.Status().followers().empty(); }));
  ASSERT_TRUE(primary_.Adopt().ok());
  RunUntilState(primary_, "streaming");
  EXPECT_EQ(primary_.Status().takes_identity(), "wanted");
  secondary_.Start();
  ExpectKnownAgain();
}

TEST_F(IdentityTest, ADatabaseOfItsOwnThatCannotBeSavedLeavesTheState) {
  Begin();
  NoteIdentity();
  secondary_.Stop();
  EXPECT_TRUE(world_.RunUntil([&] { return primary_.Status().followers().empty(); }));
  const std::string state = primary_.disk().Contents(kState);
  primary_.FailSyncsOf(absl::StrCat(kState, ".new"));
  const absl::StatusOr<std::string> adopted = primary_.Adopt(v1::AdoptRequest::AS_NEW_DATABASE);
  EXPECT_FALSE(adopted.ok());
  EXPECT_THAT(adopted.status().message(), HasSubstr(absl::StrCat(kState, "1")));
  EXPECT_EQ(primary_.disk().Contents(kState), state);
  primary_.disk().SetHook(nullptr);
  primary_.Stop();
  primary_.Start();
  secondary_.Start();
  ExpectKnownAgain();
}

TEST_F(IdentityTest, OneThatWasPromotedStaysAPrimaryAsADatabaseOfItsOwn) {
  Begin();
  RunUntilState(secondary_, "streaming");
  primary_.Stop();
  ASSERT_EQ(secondary_.Promote(v1::PromoteRequest::UPSTREAM_NO_MATTER).result(), v1::PromotedStorage::RESULT_PROMOTED);
  ASSERT_TRUE(secondary_.Adopt(v1::AdoptRequest::AS_NEW_DATABASE).ok());
  secondary_.Stop();
  secondary_.Start();
  RunUntilState(secondary_, "streaming");
  EXPECT_EQ(secondary_.Status().role(), "primary");
}

TEST_F(IdentityTest, ASecondaryIsToldNothing) {
  Begin();
  const absl::StatusOr<std::string> adopted = secondary_.Adopt();
  EXPECT_TRUE(absl::IsFailedPrecondition(adopted.status()));
  EXPECT_THAT(adopted.status().message(), HasSubstr("it is a secondary"));
}

TEST_F(IdentityTest, AStateThatCannotBeSavedIsTriedAgain) {
  BeginAndLoseState();
  primary_.Start();
  RunUntilState(primary_, "streaming");
  primary_.FailSyncsOf(absl::StrCat(kState, ".new"));
  EXPECT_TRUE(RunUntilTrouble("was not taken")) << secondary_.Status().DebugString();
  EXPECT_NE(primary_.Status().database_id(), database_);
  primary_.disk().SetHook(nullptr);
  ExpectKnownAgain();
}

// It might be a lost primary's file beside the right primary, which does not answer just now.
TEST_F(IdentityTest, OfSeveralAddressesNoneMayBeSilent) {
  Machine third(world_, "third", "");
  secondary_.SetUpstreams({"primary", "third"});
  BeginAndLoseState();
  primary_.Start();
  EXPECT_TRUE(RunUntilTrouble("the follower keeps database"));
  world_.RunFor(absl::Minutes(1));
  EXPECT_NE(primary_.Status().database_id(), database_);
  // A person knows better.
  ASSERT_TRUE(primary_.Adopt().ok());
  ExpectKnownAgain();
}

// An empty one was faster, so that its word counts no more. Doing on each what it tells helps, in any order.
TEST_F(IdentityTest, OfSeveralAddressesTheOneThatIsOfAnotherDatabaseTellsWhatToDo) {
  Machine second(world_, "second", "");
  Machine empty(world_, "empty", "primary");
  secondary_.SetUpstreams({"second", "primary", "empty"});
  second.SetUpstreams({"secondary", "empty", "primary"});
  second.Start();
  BeginAndLoseState();
  RunUntilEqual(secondary_, second);
  secondary_.Stop();
  second.Stop();
  primary_.Start();
  empty.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return !primary_.Status().has_takes_identity() && empty.Size() > 4; }));
  secondary_.Start();
  second.Start();
  for (Machine* machine : {&secondary_, &second}) {
    const std::string state = absl::StrCat("/state/", machine->name(), ".state");
    EXPECT_TRUE(world_.RunUntil([&] { return machine->Status().has_error(); }));
    world_.RunFor(absl::Seconds(30));
    EXPECT_THAT(machine->Status().error().remedy(), HasSubstr(absl::StrCat("move the follower's state file ", state)));
    machine->Stop();
    ASSERT_TRUE(machine->disk().Remove(state).ok());
    machine->Start();
    RunUntilState(*machine, "streaming");
    EXPECT_EQ(machine->Status().database_id(), primary_.Status().database_id());
  }
}

TEST_F(IdentityTest, OfSeveralAddressesTheOneThatAsksIsToldByOneWhoseDiskWasFull) {
  Machine third(world_, "third", "");
  third.Write(tests::FileBuilder().AddMany(3, 70).bytes());
  third.Start();
  ASSERT_TRUE(third.Adopt(v1::AdoptRequest::AS_NEW_DATABASE).ok());
  Begin();
  NoteIdentity();
  secondary_.Stop();
  secondary_.SetUpstreams({"third", "primary"});
  secondary_.Start();
  RunUntilState(secondary_, "streaming");
  secondary_.disk().SetCapacity(0);
  primary_.Write(file_.AddMany(2, 300).bytes());
  RunUntilState(secondary_, "disk-full");
  primary_.Stop();
  LoseState();
  primary_.Start();
  secondary_.disk().SetCapacity(UINT64_MAX);
  ExpectKnownAgain();
}

TEST_F(IdentityTest, OfSeveralAddressesTheOneThatAsksIsTold) {
  Machine third(world_, "third", "");
  third.Write(tests::FileBuilder().AddMany(3, 70).bytes());
  secondary_.SetUpstreams({"third", "primary"});
  BeginAndLoseState();
  third.Start();
  ASSERT_TRUE(third.Adopt(v1::AdoptRequest::AS_NEW_DATABASE).ok());
  primary_.Start();
  ExpectKnownAgain();
}

}  // namespace
}  // namespace zrs::storage
