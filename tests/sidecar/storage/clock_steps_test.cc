// Wall clocks that are set, on either host, forward and back: times that are shown may be wrong, and nothing else.
#include <gtest/gtest.h>

#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/storage_test_fixture.h"

namespace zrs::storage {
namespace {

constexpr absl::Duration kYears = absl::Hours(24 * 365 * 5);

class ClockStepsTest : public StorageTest, public ::testing::WithParamInterface<absl::Duration> {
 protected:
  ClockStepsTest() {
    primary_.Write(file_.bytes());
    primary_.Start();
    secondary_.Start();
    RunUntilEqual(primary_, secondary_);
    EXPECT_TRUE(world_.RunUntil([&] { return secondary_.serving(); }));
  }

  // Commits are followed, at once and over the seconds in which heartbeats and retries come due, on one connection.
  void ExpectFollows() {
    const uint64_t dials = world_.network().dials();
    for (int commits = 0; commits < 10; ++commits) {
      primary_.Write(file_.AddMany(1, 500).bytes());
      RunUntilEqual(primary_, secondary_);
      world_.RunFor(absl::Milliseconds(700));
      EXPECT_TRUE(primary_.serving());
    }
    EXPECT_TRUE(world_.RunUntil([&] {
      return secondary_.serving() && secondary_.Status().lag_bytes() == 0 && secondary_.Status().lag_seconds() == 0;
    }));
    EXPECT_FALSE(secondary_.Status().has_error()) << secondary_.Status().DebugString();
    EXPECT_EQ(world_.network().dials(), dials);
    EXPECT_EQ(primary_.Wait(1, absl::Seconds(5)).result(), v1::WaitResponse::RESULT_DONE);
  }

  Machine primary_{world_, "primary", ""};
  Machine secondary_{world_, "secondary", "primary"};
};

INSTANTIATE_TEST_SUITE_P(Steps, ClockStepsTest,
                         ::testing::Values(kYears, -kYears, absl::Seconds(90), -absl::Seconds(90), -absl::Seconds(1)));

TEST_P(ClockStepsTest, OfThePrimary) {
  primary_.StepClock(GetParam());
  ExpectFollows();
}

TEST_P(ClockStepsTest, OfTheSecondary) {
  secondary_.StepClock(GetParam());
  ExpectFollows();
}

TEST_P(ClockStepsTest, OfBothAgainAndAgain) {
  for (int steps = 0; steps < 3; ++steps) {
    primary_.StepClock(GetParam());
    secondary_.StepClock(-2 * GetParam());
    ExpectFollows();
  }
}

TEST_P(ClockStepsTest, WhileTheSecondaryWaitsToTryAgain) {
  primary_.Stop();
  world_.RunFor(absl::Seconds(5));
  secondary_.StepClock(GetParam());
  primary_.StepClock(-GetParam());
  primary_.Start();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.serving(); }));
  ExpectFollows();
}

}  // namespace
}  // namespace zrs::storage
