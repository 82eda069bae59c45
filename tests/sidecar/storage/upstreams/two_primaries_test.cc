// Two primaries of one generation, of which a follower hears that follows one of them: both stop.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/time/time.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/promotion_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// The secondary and the third are promoted without knowing of each other; the fourth follows the secondary, and knows
// the address of the other.
class TwoPrimariesTest : public PromotionTest {
 protected:
  void PromoteBoth() {
    BeginStreaming();
    third_.Start();
    fourth_.Start();
    RunUntilState(third_, "streaming");
    RunUntilEqual(primary_, fourth_);
    primary_.Stop();
    world_.network().Block("third", "fourth", absl::Minutes(30));
    ExpectPromoted(secondary_.Promote(kMustBeGone));
    EXPECT_EQ(third_.Promote(kMustBeGone).result(), Promoted::RESULT_PROMOTED);
    Commit(secondary_, 3);
    RunUntilEqual(secondary_, fourth_);
    EXPECT_TRUE(secondary_.serving());
    EXPECT_TRUE(third_.serving());
  }
  void ExpectBothStop() {
    RunUntilState(third_, "superseded");
    RunUntilState(secondary_, "superseded");
    EXPECT_FALSE(secondary_.serving());
    EXPECT_FALSE(third_.serving());
    for (Machine* machine : {&secondary_, &third_}) {
      EXPECT_THAT(machine->Status().error().message(), HasSubstr("there are two primaries"));
    }
  }
  bool IsTold(Machine& machine, const std::string& words) {
    return machine.Status().error().message().find(words) != std::string::npos;
  }

  Machine third_{world_, "third", "primary"};
  Machine fourth_{world_, "fourth", "secondary"};
};

TEST_F(TwoPrimariesTest, TheFollowedOneIsToldToo) {
  fourth_.SetUpstreams({"secondary", "third"});
  PromoteBoth();
  world_.network().Unblock();
  ExpectBothStop();
  EXPECT_THAT(secondary_.Status().error().message(),
              AllOf(HasSubstr("follower fourth, which follows this one"), HasSubstr("over third, which says")));
  EXPECT_TRUE(world_.RunUntil([&] { return IsTold(fourth_, "none of its addresses"); }));
  EXPECT_THAT(fourth_.Status().error().remedy(), HasSubstr("decide which of the two primaries is right"));
  // A person decides, and everybody goes on.
  const Promoted answer = secondary_.Promote(kForce);
  EXPECT_EQ(answer.generation(), 3u) << answer.message();
  Commit(secondary_, 3);
  RunUntilEqual(secondary_, fourth_);
  // The other says still what it was.
  world_.RunFor(absl::Minutes(12));
  EXPECT_TRUE(secondary_.serving());
  RunUntilState(fourth_, "streaming");
  third_.SetUpstreams({"secondary"});
  EXPECT_TRUE(third_.Demote().ok());
  third_.Stop();
  third_.Start();
  RunUntilEqual(secondary_, third_);
  world_.RunFor(absl::Minutes(2));
  RunUntilState(secondary_, "streaming");
  EXPECT_TRUE(secondary_.serving());
}

// The follower is lost between the two.
TEST_F(TwoPrimariesTest, WhatWasNotPassedOnIsFoundAgain) {
  PromoteBoth();
  fourth_.Stop();
  world_.network().Unblock();
  fourth_.SetUpstreams({"third"});
  fourth_.Start();
  RunUntilState(third_, "superseded");
  fourth_.Stop();
  EXPECT_TRUE(secondary_.serving());
  fourth_.SetUpstreams({"secondary", "third"});
  fourth_.Start();
  ExpectBothStop();
}

// Both gave their promotions up: what either was is no reason for the other not to follow the primary of before.
TEST_F(TwoPrimariesTest, TwoThatAreDemotedDoNotKeepEachOtherFromTheRightOne) {
  third_.SetUpstreams({"secondary", "primary"});
  secondary_.SetUpstreams({"third", "primary"});
  BeginStreaming();
  third_.Start();
  RunUntilEqual(primary_, third_);
  tests::FileBuilder right = file_;
  right.Add({.tid = tests::TestTid(200), .records = {{.oid = 3, .data = std::string(5000, 'r')}}});
  primary_.Stop();
  ExpectPromoted(secondary_.Promote(kForce));
  Commit(secondary_, 3);
  RunUntilEqual(secondary_, third_);
  secondary_.Stop();
  EXPECT_EQ(third_.Promote(kForce).generation(), 3u);
  secondary_.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.serving(); }));
  primary_.Write(right.bytes());
  primary_.Start();
  RunUntilState(primary_, "streaming");
  EXPECT_TRUE(third_.Demote().ok());
  EXPECT_TRUE(secondary_.Demote().ok());
  for (Machine* machine : {&secondary_, &third_}) {
    RunUntilState(*machine, "diverged");
    EXPECT_EQ(machine->Resync(/*dry_run=*/false).result(), v1::ResyncResponse::RESULT_DONE);
  }
  RunUntilEqual(primary_, secondary_);
  RunUntilEqual(primary_, third_);
  EXPECT_TRUE(primary_.serving());
}

TEST_F(TwoPrimariesTest, ItIsToldOverASecondary) {
  Machine fifth(world_, "fifth", "fourth");
  fifth.SetUpstreams({"fourth", "third"});
  world_.network().Block("third", "fifth", absl::Minutes(30));
  PromoteBoth();
  fifth.Start();
  RunUntilEqual(secondary_, fifth);
  world_.network().Unblock();
  ExpectBothStop();
  EXPECT_THAT(secondary_.Status().error().message(), HasSubstr("follower fifth"));
}

}  // namespace
}  // namespace zrs::storage
