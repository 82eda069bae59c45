// A copy against its upstream's file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/storage_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;
constexpr auto kSame = v1::CompareResponse::RESULT_SAME;
constexpr auto kDifferent = v1::CompareResponse::RESULT_DIFFERENT;
constexpr auto kFailed = v1::CompareResponse::RESULT_FAILED;

class ComparisonTest : public PairTest {
 protected:
  void BeginStreaming() {
    Begin();
    RunUntilState(secondary_, "streaming");
  }
  // The secondary's file, which no state tells of, goes on further than the primary's.
  tests::FileBuilder BeginWithLongerSeed() {
    tests::FileBuilder longer = file_;
    longer.AddMany(3, 200);
    primary_.Write(file_.bytes());
    primary_.Start();
    secondary_.Write(longer.bytes());
    secondary_.Start();
    RunUntilState(secondary_, "diverged");
    // Not for a damaged one.
    EXPECT_THAT(secondary_.Status().error().remedy(), HasSubstr("Where this one is right: zrs promote --force here"));
    return longer;
  }
  std::string Saved(int n) { return secondary_.disk().Contents(absl::StrCat("/secondary/Data.fs.tr", n)); }
  void Pack() {
    tests::FileBuilder packed;
    for (size_t n = 10; n < 200; ++n) {
      packed.Add({.tid = tests::TestTid(n), .status = 'p', .records = {{.oid = n, .data = std::string(4001, 'p')}}});
    }
    packed.Add({.tid = file_.end().tid, .status = 'p', .records = {{.oid = 3, .data = "x"}}});
    primary_.Pack(packed.bytes());
  }
  void ExpectGoesOn() {
    RunUntilState(secondary_, "streaming");
    primary_.Write(file_.AddMany(2, 300).bytes());
    RunUntilEqual(primary_, secondary_);
    EXPECT_FALSE(secondary_.Status().has_error()) << secondary_.Status().error().message();
  }
};

TEST_F(ComparisonTest, EachFlippedBitIsFoundAndOnlyThat) {
  BeginStreaming();
  for (uint64_t offset = 4; offset + 950 < file_.size(); offset += 1973) {
    SCOPED_TRACE(offset);
    EXPECT_EQ(secondary_.Compare().result(), kSame);
    Machine& damaged = offset % 2 == 0 ? primary_ : secondary_;
    damaged.FlipBit(offset);
    const v1::CompareResponse response = secondary_.Compare();
    EXPECT_EQ(response.result(), kDifferent) << response.message();
    EXPECT_EQ(response.comparison().difference(), offset);
    const uint64_t same = response.comparison().same_up_to();
    EXPECT_LE(same, offset);
    EXPECT_TRUE(std::any_of(file_.boundaries().begin(), file_.boundaries().end(),
                            [same](const auto& boundary) { return boundary.offset == same; }));
    EXPECT_EQ(secondary_.Status().state(), "diverged");
    EXPECT_FALSE(secondary_.serving());
    damaged.FlipBit(offset);
    ASSERT_EQ(secondary_.Compare().result(), kSame);
    RunUntilState(secondary_, "streaming");
  }
  ExpectGoesOn();
}

// No transaction has these, and no opener takes the file without them.
TEST_F(ComparisonTest, AFlippedBitOfWhatTheCopyBeginsWithIsFound) {
  BeginStreaming();
  for (uint64_t offset = 0; offset < 4; ++offset) {
    SCOPED_TRACE(offset);
    secondary_.FlipBit(offset);
    const v1::CompareResponse response = secondary_.Compare();
    EXPECT_EQ(response.result(), kDifferent) << response.message();
    EXPECT_EQ(response.comparison().difference(), offset);
    EXPECT_EQ(response.comparison().same_up_to(), 0u);
    EXPECT_THAT(response.comparison().here().damage(), testing::HasSubstr("does not begin with"));
    EXPECT_TRUE(response.comparison().upstream().has_tid());
    EXPECT_EQ(secondary_.Status().state(), "diverged");
    EXPECT_EQ(secondary_.Resync(/*dry_run=*/false).result(), v1::ResyncResponse::RESULT_REFUSED);
    secondary_.FlipBit(offset);
    ASSERT_EQ(secondary_.Compare().result(), kSame);
    RunUntilState(secondary_, "streaming");
  }
  ExpectGoesOn();
}

TEST_F(ComparisonTest, ItIsComparedAtTheRateThatWasAskedFor) {
  BeginStreaming();
  std::optional<v1::CompareResponse> answer;
  secondary_.BeginCompare(1000, answer);
  world_.RunFor(absl::Milliseconds(100));
  EXPECT_FALSE(answer) << "64 KB at a time, 1000 bytes a second";
  EXPECT_EQ(secondary_.Status().checking().purpose(), "compare");
  EXPECT_GT(secondary_.Status().checking().progress().total(), 0u);
  // It gives way to nobody else's.
  EXPECT_EQ(secondary_.Compare().result(), kFailed);
  secondary_.Stop();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->result(), kFailed);
}

// What was remembered of how far it was is of the file before the pack.
TEST_F(ComparisonTest, AScrubBeginsAnewAfterAPackAndARestart) {
  file_.AddMany(200, 900);
  secondary_.SetScrub(absl::Seconds(1), 10'000);
  BeginStreaming();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().scrub().position() > 100'000; }));
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().scrub().position() > 200'000; }));
  Pack();
  RunUntilEqual(primary_, secondary_);
  secondary_.Stop();
  secondary_.SetScrub(absl::Seconds(1), 0);
  secondary_.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().scrub().has_finished(); }))
      << secondary_.Status().DebugString();
}

TEST_F(ComparisonTest, APackInTheMiddleIsNoDifference) {
  BeginStreaming();
  std::optional<v1::CompareResponse> answer;
  secondary_.BeginCompare(1000, answer);
  world_.RunFor(absl::Milliseconds(100));
  Pack();
  EXPECT_TRUE(world_.RunUntil([&] { return answer.has_value(); }));
  EXPECT_EQ(answer->result(), kFailed) << answer->message();
  EXPECT_NE(secondary_.Status().state(), "diverged");
}

TEST_F(ComparisonTest, AnUpstreamThatStopsInTheMiddleIsNoDifference) {
  BeginStreaming();
  std::optional<v1::CompareResponse> answer;
  secondary_.BeginCompare(1000, answer);
  world_.RunFor(absl::Milliseconds(100));
  primary_.Stop();
  EXPECT_TRUE(world_.RunUntil([&] { return answer.has_value(); }));
  EXPECT_EQ(answer->result(), kFailed);
  primary_.Start();
  ExpectGoesOn();
}

TEST_F(ComparisonTest, ADifferenceIsRememberedAndMended) {
  BeginStreaming();
  secondary_.FlipBit(At(30) + 200);
  const std::string flipped = secondary_.Data();
  EXPECT_EQ(secondary_.Compare().result(), kDifferent);
  secondary_.Stop();
  secondary_.Start();
  RunUntilState(secondary_, "diverged");
  world_.RunFor(absl::Seconds(30));
  EXPECT_EQ(secondary_.Data(), flipped);
  const v1::ResyncResponse plan = secondary_.Resync(/*dry_run=*/true);
  EXPECT_EQ(plan.result(), v1::ResyncResponse::RESULT_PLANNED) << plan.message();
  EXPECT_EQ(plan.transactions(), 10u);
  EXPECT_EQ(plan.bytes(), file_.size() - At(30));
  EXPECT_FALSE(plan.whole());
  EXPECT_EQ(secondary_.Data(), flipped);
  const v1::ResyncResponse done = secondary_.Resync(/*dry_run=*/false);
  EXPECT_EQ(done.result(), v1::ResyncResponse::RESULT_DONE) << done.message();
  EXPECT_EQ(done.saved_to(), plan.saved_to());
  EXPECT_EQ(Saved(0), flipped.substr(At(30)));
  RunUntilEqual(primary_, secondary_);
  ExpectGoesOn();
  EXPECT_EQ(secondary_.Compare().result(), kSame);
  EXPECT_EQ(secondary_.Resync(false).result(), v1::ResyncResponse::RESULT_REFUSED) << "there is nothing to give up";
}

TEST_F(ComparisonTest, AFileWithLittleInCommonIsMovedAwayAsItIs) {
  BeginStreaming();
  secondary_.FlipBit(At(3) + 200);
  const std::string flipped = secondary_.Data();
  EXPECT_EQ(secondary_.Compare().result(), kDifferent);
  const v1::ResyncResponse done = secondary_.Resync(/*dry_run=*/false);
  EXPECT_EQ(done.result(), v1::ResyncResponse::RESULT_DONE) << done.message();
  EXPECT_TRUE(done.whole());
  EXPECT_EQ(secondary_.disk().Contents(done.saved_to()), flipped);
  RunUntilEqual(primary_, secondary_);
  ExpectGoesOn();
}

// As a read-only or immutable one: it is refused beforehand, and the plan does not promise what cannot be done.
TEST_F(ComparisonTest, WhereADirectoryCannotBeWrittenNothingIsBegun) {
  BeginStreaming();
  secondary_.FlipBit(At(30) + 200);
  const std::string flipped = secondary_.Data();
  EXPECT_EQ(secondary_.Compare().result(), kDifferent);
  for (const std::string directory : {"/secondary/", "/state/"}) {
    SCOPED_TRACE(directory);
    secondary_.ForbidChangesIn(directory);
    for (const bool dry_run : {true, false}) {
      const v1::ResyncResponse response = secondary_.Resync(dry_run);
      EXPECT_EQ(response.result(), v1::ResyncResponse::RESULT_REFUSED);
      EXPECT_THAT(response.message(), HasSubstr(absl::StrCat("create ", directory)));
      EXPECT_THAT(response.message(), HasSubstr("Operation not permitted; nothing was changed"));
    }
    EXPECT_EQ(secondary_.Status().state(), "diverged");
    EXPECT_EQ(secondary_.Data(), flipped);
  }
  secondary_.disk().SetHook(nullptr);
  EXPECT_EQ(secondary_.Resync(false).result(), v1::ResyncResponse::RESULT_DONE);
  EXPECT_EQ(Saved(0), flipped.substr(At(30))) << "no name was used up";
  RunUntilEqual(primary_, secondary_);
}

TEST_F(ComparisonTest, ASeedInADirectoryThatCannotBeWrittenIsNotTouched) {
  const tests::FileBuilder longer = BeginWithLongerSeed();
  for (const std::string directory : {"/secondary/", "/state/"}) {
    secondary_.ForbidChangesIn(directory);
    EXPECT_THAT(secondary_.Resync(false).message(), HasSubstr("nothing was changed")) << directory;
    EXPECT_EQ(secondary_.Data(), longer.bytes());
  }
  secondary_.disk().SetHook(nullptr);
  EXPECT_EQ(secondary_.Resync(false).result(), v1::ResyncResponse::RESULT_DONE);
  ExpectGoesOn();
}

TEST_F(ComparisonTest, AScrubFindsAFlippedBitAndGoesOnWhereItWas) {
  secondary_.SetScrub(absl::Seconds(10), 0);
  BeginStreaming();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().scrub().has_finished(); }));
  const std::string finished = secondary_.Status().scrub().finished();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().scrub().finished() != finished; }));
  primary_.FlipBit(At(20) + 100);
  RunUntilState(secondary_, "diverged");
  EXPECT_EQ(secondary_.Status().divergence().difference(), At(20) + 100);
}

// How far it is, is noted each 10 s.
TEST_F(ComparisonTest, AScrubResumesWhereItWas) {
  file_.AddMany(300, 900);
  secondary_.SetScrub(absl::Seconds(1), 10'000);
  BeginStreaming();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().scrub().position() > 250'000; }));
  secondary_.Stop();
  secondary_.Start();
  RunUntilState(secondary_, "streaming");
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().scrub().position() > 0; }));
  EXPECT_GT(secondary_.Status().scrub().position(), 100'000u);
}

// ---- Files that nobody knows

TEST_F(ComparisonTest, ASeedIsAdopted) {
  secondary_.Write(file_.bytes().substr(0, At(33)));
  secondary_.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().has_error(); }));
  EXPECT_EQ(secondary_.Status().state(), "proving");
  EXPECT_THAT(secondary_.Status().error().message(), HasSubstr("not known to be a copy of anything"));
  primary_.Write(file_.bytes());
  primary_.Start();
  RunUntilEqual(primary_, secondary_);
  ExpectGoesOn();
  EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs.tr0"));
  EXPECT_FALSE(secondary_.disk().Exists("/secondary/Data.fs1"));
}

TEST_F(ComparisonTest, ASeedThatWasCopiedInTheMiddleOfACommit) {
  primary_.Write(file_.bytes());
  primary_.Start();
  for (const uint64_t torn : {1u, 22u, 23u, 400u}) {
    SCOPED_TRACE(torn);
    Machine secondary(world_, absl::StrCat("secondary", torn), "primary");
    secondary.Write(file_.bytes().substr(0, At(33) + torn));
    secondary.Start();
    RunUntilEqual(primary_, secondary);
    RunUntilState(secondary, "streaming");
    secondary.Stop();
  }
}

TEST_F(ComparisonTest, ASeedWithAVoteThatWasTakenBack) {
  primary_.Write(file_.bytes());
  primary_.Start();
  std::string vote = tests::EncodeTransaction(
      {.tid = file_.end().tid + 7, .status = 'c', .records = {{.oid = 1, .data = std::string(500, 'v')}}}, At(33));
  secondary_.Write(file_.bytes().substr(0, At(33)) + vote.substr(0, 300));
  secondary_.Start();
  RunUntilEqual(primary_, secondary_);
  ExpectGoesOn();
}

TEST_F(ComparisonTest, ASeedThatGoesOnFurtherIsDiverged) {
  const tests::FileBuilder longer = BeginWithLongerSeed();
  EXPECT_EQ(secondary_.Status().divergence().same_up_to(), file_.size());
  EXPECT_EQ(secondary_.Data(), longer.bytes());
  EXPECT_EQ(secondary_.Resync(true).transactions(), 3u);
  EXPECT_EQ(secondary_.Resync(false).result(), v1::ResyncResponse::RESULT_DONE);
  EXPECT_EQ(Saved(0), longer.bytes().substr(file_.size()));
  ExpectGoesOn();
}

// A structural byte of the seed is wrong: what follows is no unfinished transaction, whatever its length says.
TEST_F(ComparisonTest, ADamagedSeedIsNotCut) {
  primary_.Write(file_.bytes());
  primary_.Start();
  for (const uint64_t byte : {8u, 15u, 16u, 17u}) {
    SCOPED_TRACE(byte);
    Machine secondary(world_, absl::StrCat("damaged", byte), "primary");
    std::string seed = file_.bytes();
    seed[static_cast<size_t>(At(25) + byte)] ^= 0x40;
    secondary.Write(seed);
    secondary.Start();
    RunUntilState(secondary, "diverged");
    EXPECT_EQ(secondary.Status().divergence().difference(), At(25) + byte);
    EXPECT_EQ(secondary.Data(), seed);
    secondary.Stop();
  }
}

TEST_F(ComparisonTest, ASeedIsComparedAgainAfterARestart) {
  tests::FileBuilder other;
  other.AddMany(5, 333);
  primary_.Write(file_.bytes());
  primary_.Start();
  secondary_.Write(other.bytes());
  secondary_.Start();
  RunUntilState(secondary_, "diverged");
  EXPECT_EQ(secondary_.Data(), other.bytes());
  secondary_.Stop();
  secondary_.Write(file_.bytes().substr(0, At(10)));
  secondary_.Start();
  ExpectGoesOn();
}

}  // namespace
}  // namespace zrs::storage
