#include "sidecar/replication/backoff.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace zrs::replication {
namespace {

constexpr uint64_t kLongest = 0;            // no part of the step is taken off
constexpr uint64_t kShortest = UINT64_MAX;  // nearly a half is

TEST(BackoffTest, DoublesFromFirstToMost) {
  Backoff backoff;
  for (int64_t milliseconds : {100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000}) {
    EXPECT_EQ(backoff.Next(kLongest), absl::Milliseconds(milliseconds));
  }
}

TEST(BackoffTest, JitterTakesOffUpToAHalf) {
  Backoff backoff(absl::Seconds(1), absl::Seconds(1));
  EXPECT_GE(backoff.Next(kShortest), absl::Milliseconds(500));
  EXPECT_LT(backoff.Next(kShortest), absl::Milliseconds(501));
  EXPECT_EQ(backoff.Next(uint64_t{1} << 63), absl::Milliseconds(750));
}

TEST(BackoffTest, ResetBeginsAgain) {
  Backoff backoff(absl::Milliseconds(5), absl::Seconds(1));
  backoff.Next(kLongest);
  backoff.Next(kLongest);
  backoff.Reset();
  EXPECT_EQ(backoff.Next(kLongest), absl::Milliseconds(5));
}

TEST(BackoffTest, NeverNothingAndNeverBeyondMost) {
  Backoff backoff;
  uint64_t random = 1;
  for (int i = 0; i < 1000; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    const absl::Duration delay = backoff.Next(random);
    EXPECT_GE(delay, absl::Milliseconds(50));
    EXPECT_LE(delay, absl::Seconds(10));
  }
}

}  // namespace
}  // namespace zrs::replication
