#include "sidecar/storage/state_pace.h"

#include <gtest/gtest.h>

namespace zrs::storage {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(10);

class StatePaceTest : public ::testing::Test {
 protected:
  StatePaceTest() { pace_.OnSaved(absl::ZeroDuration(), 1000); }

  // With a commit of so many bytes each 10 ms until something is due: when that was.
  absl::Duration DueUnderCommitsOf(uint64_t bytes) {
    uint64_t end = 1000;
    for (absl::Duration now;; now += absl::Milliseconds(10), end += bytes) {
      if (pace_.Due(now, end)) return now;
    }
  }

  StatePace pace_{kInterval};
};

TEST_F(StatePaceTest, NothingNewIsNeverDue) { EXPECT_FALSE(pace_.Due(absl::Hours(1), 1000)); }

TEST_F(StatePaceTest, DueAfterTheIntervalOnceNothingWasCommittedForAMoment) {
  EXPECT_FALSE(pace_.Due(absl::Seconds(9), 2000));
  EXPECT_FALSE(pace_.Due(kInterval - absl::Milliseconds(1), 2000));
  EXPECT_TRUE(pace_.Due(kInterval, 2000));
}

TEST_F(StatePaceTest, NotBetweenCommitsThatComeOften) {
  EXPECT_FALSE(pace_.Due(kInterval, 2000));
  EXPECT_FALSE(pace_.Due(kInterval + StatePace::kQuiet - absl::Milliseconds(1), 2000));
  EXPECT_FALSE(pace_.Due(kInterval + StatePace::kQuiet, 3000));
  EXPECT_TRUE(pace_.Due(kInterval + 2 * StatePace::kQuiet, 3000));
}

TEST_F(StatePaceTest, AfterSeveralIntervalsInAnyCase) {
  EXPECT_EQ(DueUnderCommitsOf(100), StatePace::kMostIntervals * kInterval);
}

TEST_F(StatePaceTest, AfterTheIntervalWhereMuchIsCommitted) {
  EXPECT_EQ(DueUnderCommitsOf(StatePace::kMuch / 100), kInterval);
}

TEST_F(StatePaceTest, AsSoonAsThatMuchIs) {
  const absl::Duration due = DueUnderCommitsOf(StatePace::kMuch / 2000);
  EXPECT_GE(due, absl::Seconds(20));
  EXPECT_LE(due, absl::Seconds(20) + absl::Milliseconds(20));
}

TEST_F(StatePaceTest, AnotherFileMayEndBefore) {
  EXPECT_FALSE(pace_.Due(kInterval, 10));
  EXPECT_TRUE(pace_.Due(kInterval + StatePace::kQuiet, 10));
}

TEST_F(StatePaceTest, WhatIsToBeSavedSoonIsDueUntilItIsSaved) {
  pace_.SaveSoon();
  EXPECT_TRUE(pace_.Due(absl::Milliseconds(1), 1000));
  pace_.OnSaved(absl::Milliseconds(1), 1000);
  EXPECT_FALSE(pace_.Due(absl::Milliseconds(2), 1000));
}

}  // namespace
}  // namespace zrs::storage
