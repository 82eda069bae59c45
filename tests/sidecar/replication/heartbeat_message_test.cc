#include "sidecar/replication/heartbeat_message.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sidecar/replication/boundary_message.h"
#include "tests/sidecar/replication/fixtures.h"

namespace zrs::replication {
namespace {

TEST(HeartbeatMessageTest, AcceptsLongestPathAndNotOneMore) {
  EXPECT_TRUE(ValidateHeartbeat(HeartbeatOf(4, std::vector<std::string>(kLongestPath, Id('p')))).ok());
  EXPECT_FALSE(ValidateHeartbeat(HeartbeatOf(4, std::vector<std::string>(kLongestPath + 1, Id('p')))).ok());
}

TEST(HeartbeatMessageTest, RefusesNoPath) { EXPECT_FALSE(ValidateHeartbeat(HeartbeatOf(4, {})).ok()); }

TEST(HeartbeatMessageTest, RefusesNodeIdOfOtherSize) {
  EXPECT_FALSE(ValidateHeartbeat(HeartbeatOf(4, {Id('p'), "short"})).ok());
}

TEST(HeartbeatMessageTest, RefusesImpossibleCommittedEnd) {
  EXPECT_FALSE(ValidateHeartbeat(HeartbeatOf(3, {Id('p')})).ok());
  EXPECT_FALSE(ValidateHeartbeat(HeartbeatOf(kLargestOffset + 1, {Id('p')})).ok());
}

TEST(HeartbeatMessageTest, RefusesImpossibleInterval) {
  v1::Heartbeat heartbeat = HeartbeatOf(4, {Id('p')});
  for (uint64_t interval : {uint64_t{0}, kMostMicros + 1, UINT64_MAX}) {
    heartbeat.set_interval_micros(interval);
    EXPECT_FALSE(ValidateHeartbeat(heartbeat).ok()) << interval;
  }
}

TEST(HeartbeatMessageTest, RefusesImpossibleAge) {
  v1::Heartbeat heartbeat = HeartbeatOf(4, {Id('p')});
  heartbeat.set_age_micros(kMostMicros);
  EXPECT_TRUE(ValidateHeartbeat(heartbeat).ok());
  heartbeat.set_age_micros(kMostMicros + 1);
  EXPECT_FALSE(ValidateHeartbeat(heartbeat).ok());
}

}  // namespace
}  // namespace zrs::replication
