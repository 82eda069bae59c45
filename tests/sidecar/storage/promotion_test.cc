// A secondary becomes a primary.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/sidecar/storage/promotion_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;

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

TEST_F(PromotionTest, APrimarysLockIsNotTakenWhereItsRoleCouldNotBeReadAtFirst) {
  BeginStreaming();
  primary_.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  secondary_.Stop();
  bool failed = false;
  std::vector<std::string> changed;
  secondary_.disk().SetHook([&](const tests::SimulatedOperation& operation) -> absl::Status {
    const bool of_state = operation.path == "/state/secondary.state";
    if (operation.kind == tests::SimulatedOperation::Kind::kRead && of_state && !std::exchange(failed, true)) {
      return absl::DataLossError("I/O error (simulated)");
    }
    if (operation.IsChange() && !absl::StartsWith(operation.path, "/state")) changed.push_back(operation.path);
    return absl::OkStatus();
  });
  secondary_.Start();
  RunUntilState(secondary_, "stopped");
  EXPECT_TRUE(failed);
  EXPECT_THAT(changed, testing::IsEmpty());
  secondary_.Stop();
  secondary_.Start();
  RunUntilState(secondary_, "streaming");
  EXPECT_EQ(secondary_.Status().role(), "primary");
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

TEST_F(PromotionTest, OneWhoseDiskIsFullIsPromotedByForceWhereItsStateCanBeWritten) {
  BeginStreaming();
  const uint64_t size = secondary_.Size();
  secondary_.disk().SetCapacity(size + 50'000);
  primary_.Write(file_.AddMany(1, 200'000).bytes());
  RunUntilState(secondary_, "disk-full");
  primary_.Stop();
  ExpectRefused(secondary_.Promote(kMustBeGone), "With --force it is promoted all the same");
  // What had arrived of the transaction has all the room.
  ExpectRefused(secondary_.Promote(kForce), "secondary.state.new at 0: disk full");
  secondary_.disk().SetCapacity(size + 100'000);
  ExpectPromoted(secondary_.Promote(kForce));
  EXPECT_EQ(secondary_.Size(), size);
}

TEST_F(PromotionTest, AnEpochThatCannotBeRememberedIsNotFollowed) {
  Machine third(world_, "third", "primary");
  BeginStreaming();
  third.Start();
  RunUntilEqual(primary_, third);
  primary_.Stop();
  third.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  Commit(secondary_, 3);
  third.SetUpstream("secondary");
  third.disk().SetCapacity(0);
  third.Start();
  RunUntilState(third, "disk-full");
  third.disk().SetCapacity(UINT64_MAX);
  RunUntilEqual(secondary_, third);
  third.Stop();
  third.Start();
  RunUntilState(third, "streaming");
  EXPECT_EQ(third.Status().generation(), 2u);
}

// What the promotion wrote is all that the state tells: as after a kill, or with a full disk. A pack that leaves the
// beginning of the file as it was, up to there, is noticed all the same.
TEST_F(PromotionTest, APackOfWhatTheStateDoesNotTellOfYet) {
  Machine third(world_, "third", "secondary");
  file_ = Pack(file_, 1);
  const size_t packed_part = file_.boundaries().size() - 1;
  BeginStreaming();
  third.Start();
  RunUntilEqual(primary_, third);
  primary_.Stop();
  std::string state;
  secondary_.disk().SetHook([&](const tests::SimulatedOperation&) {
    const std::string now = secondary_.disk().Contents("/state/secondary.state");
    if (state.empty() && absl::StrContains(now, "\"role\": \"primary\"")) state = now;
    return absl::OkStatus();
  });
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  Commit(secondary_, 6);
  RunUntilEqual(secondary_, third);
  secondary_.Stop();
  secondary_.disk().SetHook(nullptr);
  ASSERT_FALSE(state.empty());
  secondary_.disk().SetContents("/state/secondary.state", state);
  FileBuilder packed;
  for (size_t n = 1; n < file_.boundaries().size(); ++n) {
    if (n == packed_part + 2) continue;
    packed.Add({.tid = file_.boundaries()[n].tid,
                .status = filestorage::kStatusPacked,
                .records = {{.oid = n, .data = std::string(n <= packed_part ? 700 : 90, 'p')}}});
  }
  secondary_.Pack(packed.bytes());
  secondary_.Start();
  RunUntilEqual(secondary_, third);
  RunUntilState(third, "streaming");
  EXPECT_EQ(third.Status().epoch(), secondary_.Status().epoch());
}

TEST_F(PromotionTest, TheIndexIsThereBeforeTheDatabaseIs) {
  BeginStreaming();
  secondary_.Stop();
  secondary_.disk().SetContents("/secondary/Data.fs.index", "of another file");
  secondary_.Start();
  RunUntilState(secondary_, "streaming");
  primary_.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  ASSERT_TRUE(secondary_.disk().Exists("/secondary/Data.fs.index"));
  EXPECT_THAT(secondary_.disk().Contents("/secondary/Data.fs.index"), testing::Not(HasSubstr("another")));
}

TEST_F(PromotionTest, ANewCopyKeepsWhatWasBeingBuiltForAnotherOne) {
  secondary_.disk().SetContents("/secondary/Data.fs.zrs-new", "part of a packed file");
  BeginStreaming();
  EXPECT_EQ(secondary_.disk().Contents("/secondary/Data.fs.zrs-new1"), "part of a packed file");
  EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs.zrs-new"));
}

TEST_F(PromotionTest, ANewCopyHasNoIndexOfAFileBefore) {
  secondary_.disk().SetContents("/secondary/Data.fs.index", "of another file");
  BeginStreaming();
  EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs.index"));
}

}  // namespace
}  // namespace zrs::storage
