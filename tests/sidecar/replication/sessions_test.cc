// Publisher and follower together: whatever happens on the way, in the end the files are equal.
#include <gtest/gtest.h>

#include <string>

#include "tests/sidecar/replication/session_loop.h"

namespace zrs::replication {
namespace {

class SessionsTest : public ::testing::TestWithParam<int> {};

TEST_P(SessionsTest, EndEqualAfterAnySchedule) {
  SCOPED_TRACE(testing::Message() << "seed " << GetParam());
  SessionLoop loop(static_cast<uint64_t>(GetParam()));
  ASSERT_NO_FATAL_FAILURE(loop.RunWithFaults(3000));
  ASSERT_NO_FATAL_FAILURE(loop.Heal());
  EXPECT_GE(loop.connections(), 1);
  EXPECT_TRUE(loop.copy() == loop.primary()) << loop.copy().size() << " bytes of " << loop.primary().size();
  EXPECT_EQ(loop.committed(), loop.primary().size());
  ASSERT_NE(loop.publisher(), nullptr);
  EXPECT_EQ(loop.publisher()->state(), PublisherSession::State::kStreaming);
  EXPECT_EQ(loop.publisher()->acknowledged_offset(), loop.primary().size());
  EXPECT_EQ(loop.publisher()->oldest_unacknowledged(), 0u);
  EXPECT_EQ(loop.follower()->state(), loop.follower()->heartbeat().has_value() ? FollowerSession::State::kStreaming
                                                                               : FollowerSession::State::kCopying);
  EXPECT_EQ(loop.follower()->oldest_not_durable(), 0u);
  EXPECT_EQ(loop.follower()->queued_bytes(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SessionsTest, ::testing::Range(1, 301));

}  // namespace
}  // namespace zrs::replication
