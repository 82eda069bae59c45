#include "sidecar/admin/status_screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zrs::admin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(StatusScreen, ASecondaryWithAProblemTellsTheRemedy) {
  v1::StatusResponse status;
  v1::StorageStatus* storage = status.add_storages();
  storage->set_name("main");
  storage->set_role("secondary");
  storage->set_state("disk-full");
  storage->set_committed_end(1'500'000);
  storage->mutable_upstream()->set_address("primary:5000");
  storage->mutable_error()->set_message("no space");
  storage->mutable_error()->set_remedy("make room");
  const std::string screen = StatusToScreen(status);
  EXPECT_THAT(screen, HasSubstr("main  secondary, disk-full"));
  EXPECT_THAT(screen, HasSubstr("offset 1500000 (1.5 MB)"));
  EXPECT_THAT(screen, HasSubstr("primary:5000, not connected"));
  EXPECT_THAT(screen, HasSubstr("no space"));
  EXPECT_THAT(screen, HasSubstr("make room"));
}

TEST(StatusScreen, UnknownLagIsNotNone) {
  v1::StatusResponse status;
  status.add_storages()->mutable_upstream();
  EXPECT_THAT(StatusToScreen(status), HasSubstr("lag        unknown"));
  status.mutable_storages(0)->set_lag_bytes(0);
  EXPECT_THAT(StatusToScreen(status), HasSubstr("lag        none"));
}

TEST(StatusScreen, APrimaryListsItsFollowers) {
  v1::StatusResponse status;
  v1::Follower* follower = status.add_storages()->add_followers();
  follower->set_peer("ipv4:10.0.0.2:1");
  follower->set_state("streaming");
  follower->set_lag_bytes(2048);
  follower->set_lag_seconds(0.5);
  const std::string screen = StatusToScreen(status);
  EXPECT_THAT(screen, HasSubstr("ipv4:10.0.0.2:1, streaming, lag 2.0 kB, 0.5 s"));
  EXPECT_THAT(screen, Not(HasSubstr("upstream")));
}

}  // namespace
}  // namespace zrs::admin
