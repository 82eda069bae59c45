#include "sidecar/runtime/pace.h"

#include <gtest/gtest.h>

namespace zrs::runtime {
namespace {

constexpr absl::Duration kInterval = absl::Milliseconds(2);

TEST(PaceTest, ABurstPassesWithoutDelayAndThenOneEachInterval) {
  Pace pace(kInterval, 3);
  absl::Duration now = absl::Hours(5);
  EXPECT_EQ(pace.Next(now), absl::ZeroDuration());
  EXPECT_EQ(pace.Next(now), absl::ZeroDuration());
  EXPECT_EQ(pace.Next(now), absl::ZeroDuration());
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(pace.Next(now), kInterval);
    now += kInterval;
  }
}

TEST(PaceTest, WhatComesMoreSeldomIsNeverDelayed) {
  Pace pace(kInterval, 3);
  absl::Duration now;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(pace.Next(now), absl::ZeroDuration());
    EXPECT_EQ(pace.Next(now + absl::Microseconds(10)), absl::ZeroDuration());
    now += 2 * kInterval;
  }
}

TEST(PaceTest, AQuietTimeEarnsABurstAndNoMore) {
  Pace pace(kInterval, 3);
  absl::Duration now;
  for (int i = 0; i < 10; ++i) pace.Next(now);
  now += absl::Hours(1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pace.Next(now), absl::ZeroDuration());
  EXPECT_EQ(pace.Next(now), kInterval);
}

}  // namespace
}  // namespace zrs::runtime
