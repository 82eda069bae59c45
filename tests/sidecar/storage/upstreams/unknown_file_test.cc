// A secondary that knows several addresses, and whose file no state tells of, where its primary was another one before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/time/time.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/promotion_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;

constexpr char kThirdsState[] = "/state/third.state";

class UnknownFileTest : public PromotionTest {
 protected:
  // The third has what the secondary has committed since it was promoted, and is stopped without a state. The primary
  // of before is there and has not heard of it.
  void LoseThirdsState() {
    BeginStreaming();
    third_.Start();
    RunUntilEqual(primary_, third_);
    world_.network().Block("primary", "secondary", absl::Hours(2));
    world_.network().Block("primary", "third", absl::Minutes(30));
    world_.network().Cut("primary", "secondary", /*half_open=*/false);
    world_.network().Cut("primary", "third", /*half_open=*/false);
    ExpectPromoted(secondary_.Promote(kMustBeGone));
    third_.Stop();
    third_.SetUpstreams({"secondary", "primary"});
    third_.Start();
    Commit(secondary_, 3);
    RunUntilEqual(secondary_, third_);
    third_.Stop();
    ASSERT_TRUE(third_.disk().Remove(kThirdsState).ok());
  }

  Machine third_{world_, "third", "primary"};
};

TEST_F(UnknownFileTest, IsNotJudgedByAPrimaryOfBeforeWhereAnotherAddressHasItsLater) {
  LoseThirdsState();
  world_.RunFor(absl::Minutes(31));
  third_.SetUpstreams({"primary", "secondary"});
  third_.Start();
  RunUntilFollowing(third_, "secondary");
  EXPECT_EQ(third_.Status().generation(), 2u);
}

TEST_F(UnknownFileTest, IsJudgedByTheOneThatAnswersWhenTheOtherWasWaitedFor) {
  LoseThirdsState();
  world_.RunFor(absl::Minutes(31));
  world_.network().Block("secondary", "third", absl::Minutes(30));
  third_.SetUpstreams({"primary", "secondary"});
  third_.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return third_.Status().has_error(); }));
  EXPECT_EQ(third_.Status().state(), "proving");
  EXPECT_THAT(third_.Status().error().message(), HasSubstr("cannot be compared with secondary"));
  RunUntilState(third_, "diverged");
  EXPECT_EQ(third_.Data(), secondary_.Data());
  EXPECT_EQ(third_.Compare().result(), v1::CompareResponse::RESULT_DIFFERENT);
  // The other one is asked too.
  world_.RunFor(absl::Minutes(30));
  EXPECT_EQ(third_.Compare().result(), v1::CompareResponse::RESULT_SAME);
  RunUntilFollowing(third_, "secondary");
}

TEST_F(UnknownFileTest, IsNotJudgedByThePrimaryOfBeforeAloneThatIsBackSooner) {
  LoseThirdsState();
  world_.network().Block("secondary", "third", absl::Minutes(30) + absl::Seconds(15));
  third_.SetUpstreams({"secondary", "primary"});
  third_.Start();
  RunUntilState(third_, "proving");
  world_.RunFor(absl::Minutes(30));
  RunUntilFollowing(third_, "secondary");
}

// Of what the primary was before it was packed: that has lost its state, and nobody can tell which database it is.
TEST_F(UnknownFileTest, IsNotProvedByASecondaryAgainstThePrimarysWord) {
  BeginStreaming();
  third_.Start();
  RunUntilEqual(primary_, third_);
  for (Machine* machine : {&primary_, &third_}) machine->Stop();
  ASSERT_TRUE(primary_.disk().Remove("/state/primary.state").ok());
  ASSERT_TRUE(third_.disk().Remove(kThirdsState).ok());
  primary_.Write(
      tests::FileBuilder().Add({.tid = file_.end().tid, .status = 'p', .records = {{.oid = 3, .data = "x"}}}).bytes());
  primary_.Start();
  third_.SetUpstreams({"primary", "secondary"});
  third_.Start();
  RunUntilState(third_, "diverged");
  EXPECT_FALSE(third_.disk().Exists(kThirdsState));
}

// The file was compared with one of them, and is followed from another that has packed since.
TEST_F(UnknownFileTest, IsScrubbedWithTheOneThatIsFollowed) {
  BeginStreaming();
  third_.SetUpstreams({"primary", "secondary"});
  third_.SetScrub(absl::Seconds(1), 0);
  third_.Write(file_.bytes());
  third_.Start();
  ASSERT_TRUE(world_.RunUntil([&] { return third_.disk().Exists(kThirdsState); }));
  world_.network().Block("primary", "third", absl::Hours(2));
  world_.network().Cut("primary", "third", /*half_open=*/false);
  primary_.Stop();
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  secondary_.Pack(
      tests::FileBuilder().Add({.tid = file_.end().tid, .status = 'p', .records = {{.oid = 3, .data = "x"}}}).bytes());
  EXPECT_FALSE(third_.Status().scrub().has_finished());
  RunUntilEqual(secondary_, third_);
  RunUntilFollowing(third_, "secondary");
  EXPECT_TRUE(world_.RunUntil([&] { return third_.Status().scrub().has_finished(); })) << third_.Status().DebugString();
}

}  // namespace
}  // namespace zrs::storage
