#include "sidecar/monitoring/service_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/time/time.h"
#include "sidecar/monitoring/health_client.h"

namespace zrs::monitoring {
namespace {

using ::testing::HasSubstr;
using Access = ServiceServer::Access;

constexpr absl::Duration kPatience = absl::Seconds(10);

class ServiceServerTest : public ::testing::Test {
 protected:
  ServiceServerTest() {
    char pattern[] = "/tmp/zrs-monitoring-XXXXXX";
    directory_ = mkdtemp(pattern);
    socket_ = directory_ + "/socket";
  }
  ~ServiceServerTest() override { rmdir(directory_.c_str()); }

  std::string directory_;
  std::string socket_;
};

TEST_F(ServiceServerTest, TellsHealth) {
  auto server = ServiceServer::Start(socket_, Access::kThisUser, {});
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(AskHealth(socket_, "", kPatience).value(), true);
  EXPECT_TRUE(absl::IsNotFound(AskHealth(socket_, "zrs.storage.main", kPatience).status()));
  (*server)->SetServing("zrs.storage.main", true);
  EXPECT_EQ(AskHealth(socket_, "zrs.storage.main", kPatience).value(), true);
  (*server)->SetServing("zrs.storage.main", false);
  EXPECT_EQ(AskHealth(socket_, "zrs.storage.main", kPatience).value(), false);
}

TEST_F(ServiceServerTest, APathIsNotReadAsAUri) {
  for (const char* name : {"a b%41.sock", "a?b#c.sock", "\xc3\xa9.sock"}) {
    const std::string socket = directory_ + "/" + name;
    auto server = ServiceServer::Start(socket, Access::kThisUser, {});
    ASSERT_TRUE(server.ok()) << server.status();
    EXPECT_EQ(access(socket.c_str(), F_OK), 0) << socket;
    const absl::StatusOr<bool> healthy = AskHealth(socket, "", kPatience);
    EXPECT_TRUE(healthy.ok()) << healthy.status();
  }
}

TEST_F(ServiceServerTest, ASocketIsForItsUserOrAsTheUmaskSays) {
  struct stat found = {};
  {
    const auto server = ServiceServer::Start(socket_, Access::kThisUser, {});
    ASSERT_EQ(stat(socket_.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0077, 0u);
  }
  EXPECT_NE(stat(socket_.c_str(), &found), 0) << "it was left";
  const mode_t before = umask(0);
  const auto server = ServiceServer::Start(socket_, Access::kAsUmask, {});
  umask(before);
  ASSERT_EQ(stat(socket_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0066, 0066u);
}

TEST_F(ServiceServerTest, AnAddressInUseIsNamed) {
  const auto server = ServiceServer::Start(socket_, Access::kThisUser, {});
  ASSERT_TRUE(server.ok());
  const absl::Status second = ServiceServer::Start(socket_, Access::kThisUser, {}).status();
  EXPECT_TRUE(absl::IsUnavailable(second)) << second;
  EXPECT_THAT(second.message(), HasSubstr(socket_));
  EXPECT_EQ(AskHealth(socket_, "", kPatience).value(), true) << "the first one was disturbed";
}

TEST_F(ServiceServerTest, WhatDoesNotAnswerIsUnavailable) {
  const absl::Status status = AskHealth(socket_, "", absl::Seconds(2)).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr("is zrs running"));
}

}  // namespace
}  // namespace zrs::monitoring
