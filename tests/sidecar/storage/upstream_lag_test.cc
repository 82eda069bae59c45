#include "sidecar/storage/secondary/upstream_lag.h"

#include <gtest/gtest.h>

#include "filestorage/timestamp.h"
#include "tests/support/encode.h"

namespace zrs::storage {
namespace {

const absl::Time kPrimaryTime = absl::FromUnixSeconds(1700000000);

v1::Heartbeat HeartbeatAt(uint64_t end, absl::Duration later = absl::ZeroDuration()) {
  v1::Heartbeat heartbeat;
  heartbeat.set_committed_end(end);
  heartbeat.set_primary_time_micros(absl::ToUnixMicros(kPrimaryTime + later));
  return heartbeat;
}

filestorage::Tid TidAt(absl::Time time) {
  auto tid = tests::TidFromTime(time);
  EXPECT_TRUE(tid.ok()) << tid.status();
  return tid.ok() ? *tid : 0;
}

TEST(UpstreamLag, UnknownBeforeTheFirstHeartbeat) {
  UpstreamLag lag;
  EXPECT_EQ(lag.Bytes(10, 0, absl::ZeroDuration()), std::nullopt);
  EXPECT_EQ(lag.Seconds(10, 0, 0, absl::ZeroDuration()), std::nullopt);
}

TEST(UpstreamLag, NoneWhenAllIsDurable) {
  UpstreamLag lag;
  lag.OnHeartbeat(HeartbeatAt(100), 100, absl::Seconds(50));
  EXPECT_EQ(lag.Bytes(100, 0, absl::Seconds(51)), 0u);
  EXPECT_EQ(lag.Seconds(100, 0, 0, absl::Seconds(51)), 0.0);
}

TEST(UpstreamLag, MoreThanThePrimaryToldIsNoLag) {
  UpstreamLag lag;
  lag.OnHeartbeat(HeartbeatAt(100), 90, absl::Seconds(50));
  EXPECT_EQ(lag.Bytes(120, 0, absl::Seconds(50)), 0u);
}

TEST(UpstreamLag, WhatWasReceivedSinceTheHeartbeatCounts) {
  UpstreamLag lag;
  lag.OnHeartbeat(HeartbeatAt(100), 100, absl::Seconds(50));
  EXPECT_EQ(lag.Bytes(100, 130, absl::Seconds(50)), 30u);
}

TEST(UpstreamLag, WhatIsKnownAndNotYetReceivedIsAsOldAsTheHeartbeatAtMost) {
  UpstreamLag lag;
  lag.OnHeartbeat(HeartbeatAt(100), 100, absl::Seconds(50));
  const auto seconds = lag.Seconds(100, 130, 0, absl::Seconds(52));
  ASSERT_TRUE(seconds.has_value());
  EXPECT_NEAR(*seconds, 2.0, 0.01);
}

TEST(UpstreamLag, UnknownAgainWhenTheHeartbeatIsOld) {
  UpstreamLag lag;
  lag.OnHeartbeat(HeartbeatAt(100), 100, absl::Seconds(50));
  EXPECT_EQ(lag.Bytes(100, 0, absl::Seconds(53)), 0u);
  EXPECT_EQ(lag.Bytes(100, 0, absl::Seconds(53.1)), std::nullopt);
}

TEST(UpstreamLag, APrimaryWithLongIntervalsIsKnownForLonger) {
  UpstreamLag lag;
  v1::Heartbeat heartbeat = HeartbeatAt(100);
  heartbeat.set_interval_micros(60'000'000);
  lag.OnHeartbeat(heartbeat, 100, absl::Seconds(50));
  EXPECT_TRUE(lag.Fresh(absl::Seconds(230)));
  EXPECT_FALSE(lag.Fresh(absl::Seconds(231)));
}

TEST(UpstreamLag, TimeHeldByRelaysCounts) {
  UpstreamLag lag;
  v1::Heartbeat heartbeat = HeartbeatAt(100);
  heartbeat.set_age_micros(2'500'000);
  lag.OnHeartbeat(heartbeat, 100, absl::Seconds(50));
  EXPECT_TRUE(lag.Fresh(absl::Seconds(50.4)));
  EXPECT_FALSE(lag.Fresh(absl::Seconds(50.6)));
}

TEST(UpstreamLag, SecondsFromTheOldestReceivedTransaction) {
  UpstreamLag lag;
  lag.OnHeartbeat(HeartbeatAt(100), 50, absl::Seconds(50));
  const auto seconds = lag.Seconds(50, 0, TidAt(kPrimaryTime - absl::Seconds(7)), absl::Seconds(51));
  ASSERT_TRUE(seconds.has_value());
  EXPECT_NEAR(*seconds, 8.0, 0.01);
}

TEST(UpstreamLag, SecondsFromTheFirstHeartbeatThatToldOfIt) {
  UpstreamLag lag;
  lag.OnHeartbeat(HeartbeatAt(100), 50, absl::Seconds(50));
  lag.OnHeartbeat(HeartbeatAt(200, absl::Seconds(1)), 50, absl::Seconds(51));
  const auto seconds = lag.Seconds(50, 0, 0, absl::Seconds(52));
  ASSERT_TRUE(seconds.has_value());
  EXPECT_NEAR(*seconds, 2.0, 0.01);
}

TEST(UpstreamLag, CaughtUpInBetweenCountsAnew) {
  UpstreamLag lag;
  lag.OnHeartbeat(HeartbeatAt(100), 50, absl::Seconds(50));
  lag.OnHeartbeat(HeartbeatAt(200, absl::Seconds(1)), 100, absl::Seconds(51));
  const auto seconds = lag.Seconds(100, 0, 0, absl::Seconds(51.5));
  ASSERT_TRUE(seconds.has_value());
  EXPECT_NEAR(*seconds, 0.5, 0.01);
}

TEST(UpstreamLag, CaughtUpWithTheFirstSinceTheLastHeartbeat) {
  UpstreamLag lag;
  lag.OnHeartbeat(HeartbeatAt(100), 50, absl::Seconds(50));
  lag.OnHeartbeat(HeartbeatAt(200, absl::Seconds(5)), 50, absl::Seconds(55));
  // The commits up to 100 are here by now; of the rest only the last heartbeat has told.
  const auto seconds = lag.Seconds(150, 0, 0, absl::Seconds(56));
  ASSERT_TRUE(seconds.has_value());
  EXPECT_NEAR(*seconds, 1.0, 0.01);
}

TEST(UpstreamLag, WhatALostStreamToldOfIsMissingUntilAHeartbeatTellsOtherwise) {
  UpstreamLag lag;
  lag.OnHeartbeat(HeartbeatAt(100), 100, absl::Seconds(50));
  lag.OnStreamLost(130, TidAt(kPrimaryTime), 100, absl::Seconds(51));
  EXPECT_EQ(lag.Bytes(100, 0, absl::Seconds(52)), 30u);
  EXPECT_NEAR(*lag.Seconds(100, 0, 0, absl::Seconds(52)), 2.0, 0.01);
  lag.OnHeartbeat(HeartbeatAt(130, absl::Seconds(3)), 100, absl::Seconds(53));
  EXPECT_EQ(lag.Bytes(100, 0, absl::Seconds(54)), 30u);
  EXPECT_NEAR(*lag.Seconds(100, 0, 0, absl::Seconds(54)), 4.0, 0.01);
}

TEST(UpstreamLag, APrimaryThatHasLessThanTheLostOneIsTheOneThatCounts) {
  UpstreamLag lag;
  lag.OnHeartbeat(HeartbeatAt(100), 100, absl::Seconds(50));
  lag.OnStreamLost(130, 0, 100, absl::Seconds(51));
  lag.OnHeartbeat(HeartbeatAt(100, absl::Seconds(2)), 100, absl::Seconds(52));
  EXPECT_EQ(lag.Bytes(100, 0, absl::Seconds(52)), 0u);
  EXPECT_EQ(lag.Seconds(100, 0, 0, absl::Seconds(52)), 0.0);
  lag.OnHeartbeat(HeartbeatAt(120, absl::Seconds(3)), 100, absl::Seconds(53));
  EXPECT_NEAR(*lag.Seconds(100, 0, 0, absl::Seconds(54)), 1.0, 0.01);
}

}  // namespace
}  // namespace zrs::storage
