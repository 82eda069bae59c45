// How soon a primary looks at its file when nobody tells it to.
#include "sidecar/storage/primary/look_interval.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/time/time.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/sidecar/storage/promotion_test_fixture.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::storage {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(1);
const absl::Duration kSeldom = LookInterval::kSeldom * kInterval;

LookInterval Settled() {
  LookInterval interval(kInterval);
  for (int i = 0; i < LookInterval::kInVain; ++i) interval.OnLooked(/*found=*/false);
  return interval;
}

TEST(LookIntervalTest, LooksAreSeldomOnceSeveralInARowHaveFoundNothing) {
  LookInterval interval(kInterval);
  for (int i = 0; i < LookInterval::kInVain; ++i) {
    EXPECT_EQ(interval.Next(/*told=*/true), kInterval);
    interval.OnLooked(/*found=*/false);
  }
  EXPECT_EQ(interval.Next(/*told=*/true), kSeldom);
}

TEST(LookIntervalTest, TheyAreFrequentAgainOnceOneFindsSomething) {
  LookInterval interval = Settled();
  interval.OnLooked(/*found=*/true);
  EXPECT_EQ(interval.Next(/*told=*/true), kInterval);
}

TEST(LookIntervalTest, TheyAreFrequentWhileNobodyTells) { EXPECT_EQ(Settled().Next(/*told=*/false), kInterval); }

class LookIntervalOfPrimaryTest : public PairTest {
 protected:
  // How long it takes until a commit that no notification tells of is found.
  absl::Duration FindUntold() {
    const absl::Duration began = world_.queue().now();
    primary_.WriteUnnoticed(file_.AddMany(1, 100).bytes());
    EXPECT_TRUE(world_.RunUntil([&] { return primary_.Status().committed_end() == file_.size(); }));
    return world_.queue().now() - began;
  }
};

TEST_F(LookIntervalOfPrimaryTest, WhatNobodyTellsOfIsFoundLaterAfterAQuietTimeAndTheNextOnesSoon) {
  Begin();
  RunUntilState(secondary_, "streaming");
  world_.RunFor((LookInterval::kInVain + 3) * kInterval);  // and a little into a long interval
  const absl::Duration first = FindUntold();
  EXPECT_GT(first, kInterval);
  EXPECT_LE(first, kSeldom + kInterval);
  for (int i = 0; i < 5; ++i) EXPECT_LE(FindUntold(), kInterval + absl::Milliseconds(100));
}

// Such as a name that is gone for more than a moment.
TEST_F(LookIntervalOfPrimaryTest, WhatIsAmissIsWatchedClosely) {
  Begin();
  RunUntilState(secondary_, "streaming");
  world_.RunFor((LookInterval::kInVain + 2) * kInterval);
  const absl::Duration began = world_.queue().now();
  primary_.Write(file_.bytes() + std::string(100, 'x'));
  EXPECT_TRUE(world_.RunUntil([&] { return primary_.Status().has_error(); }));
  EXPECT_LE(world_.queue().now() - began, absl::Seconds(3) + 2 * kInterval);
}

class SupersededPrimaryTest : public PromotionTest {
 protected:
  Machine third_{world_, "third", "primary"};
};

TEST_F(SupersededPrimaryTest, ALookThatComesBackAfterwardsIsTheLast) {
  third_.SetUpstreams({"primary", "secondary"});
  BeginStreaming();
  third_.Start();
  RunUntilEqual(primary_, third_);
  for (const char* other : {"secondary", "third"}) {
    world_.network().Block("primary", other, absl::Minutes(30));
    world_.network().Cut("primary", other, /*half_open=*/false);
  }
  ExpectPromoted(secondary_.Promote(kMustBeGone));
  RunUntilFollowing(third_, "secondary");
  primary_.WriteUnnoticed(primary_.Data() + std::string(100, 'x'));
  primary_.HoldIo(absl::Minutes(2));
  world_.network().Unblock();
  RunUntilState(primary_, "superseded");
  world_.RunFor(absl::Minutes(2));
  int operations = 0;
  primary_.disk().SetHook([&operations](const tests::SimulatedOperation&) {
    ++operations;
    return absl::OkStatus();
  });
  world_.RunFor(absl::Seconds(30));
  EXPECT_EQ(operations, 0);
}

}  // namespace
}  // namespace zrs::storage
